-- Rules over the processors of a HVM_CONTEXT: core/check/hvm_context.py.
do
    local facts = definitions.hvm_entry_rules.cpu
    local halves, u32, hex = numbers.halves, numbers.u32, numbers.hex

    local function check_control(tell, name, body, at, order, field)
        local lo, hi = halves(body, at + field.cr0, 8, order)
        local function has(flag)
            return numbers.band(lo, flag) > 0
        end
        local unknown_lo, unknown_hi = structs.unknown_flags(facts.cr0, lo, hi)
        local told = structs.flags_meaning(facts.cr0, lo, hi)
        if unknown_lo + unknown_hi > 0 or not has(facts.et) or has(facts.pg) and not has(facts.pe) then
            tell("hvm-cpu-control", ("%s: cr0 is %s: no receiver takes that"):format(name, told))
        end
        if has(facts.nw) and not has(facts.cd) then
            tell("hvm-cpu-cache", ("%s: cr0 is %s: NW without CD"):format(name, told))
        end
        local efer, efer_hi = halves(body, at + field.msr_efer, 8, order)
        unknown_lo, unknown_hi = structs.unknown_flags(facts.efer, efer, efer_hi)
        if unknown_lo + unknown_hi > 0 then
            tell("hvm-cpu-control", ("%s: msr_efer is %s: no receiver takes that"):format(name,
                structs.flags_meaning(facts.efer, efer, efer_hi)))
        elseif numbers.band(efer, facts.lma) > 0 and not (numbers.band(efer, facts.lme) > 0 and has(facts.pg)) then
            tell("hvm-cpu-control", name .. ": long mode is active without being enabled, or without paging")
        end
        for _, one in ipairs({ "dr6", "dr7", "msr_tsc_aux" }) do
            if field[one] then
                lo, hi = halves(body, at + field[one], 8, order)
                if hi > 0 then
                    tell("hvm-cpu-control", ("%s: %s is %s: its upper half must be zero"):format(name, one, hex(lo, hi)))
                end
            end
        end
    end

    local function check_event(tell, name, body, at, order, field)
        local event, error_code = u32(body, at + field.pending_event, order), u32(body, at + field.error_code, order)
        if numbers.band(event, facts.valid) == 0 then
            return
        end
        if facts.no_kinds[(numbers.bits(event, 0, 8, 3))] or numbers.band(event, facts.reserved) > 0 then
            tell("hvm-cpu-event", ("%s: pending_event is %s: no receiver takes that"):format(name, hex(event, 0)))
        elseif numbers.band(event, facts.error_code) > 0 and error_code >= 65536 then
            tell("hvm-cpu-event", ("%s: error_code is %s: it has 16 bits"):format(name, hex(error_code, 0)))
        end
    end

    hvm_context_rules.checks[facts.kind] = function(tell, name, body, at, order, entry)
        local field = facts.layouts[entry.stop - at] or facts.at
        check_control(tell, name, body, at, order, field)
        check_event(tell, name, body, at, order, field)
    end
end
