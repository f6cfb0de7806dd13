-- Rules over the processors of a HVM_CONTEXT: core/check/hvm_context.py.
do
    local facts = definitions.hvm_entry_rules.cpu
    local header = definitions.hvm_entry_rules.header
    local register = cpu_policy_rules.register
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
        elseif numbers.band(event, facts.error_code) > 0 and error_code >= 2 ^ facts.error_code_bits then
            tell("hvm-cpu-event", ("%s: error_code is %s: it has %d bits"):format(name,
                hex(error_code, 0), facts.error_code_bits))
        end
    end

    -- Whether the policy has a leaf for each of these features, and none of the features.
    local function are_missing(policy, features)
        for _, one in ipairs(features) do
            local number = register(policy, one.leaf, 0, one.register)
            if number == nil or numbers.bits(number, 0, one.bit, 1) == 1 then
                return false
            end
        end
        return true
    end

    local function check_by_policy(tell, name, body, at, order, field, policy)
        local lo, hi = halves(body, at + field.cr4, 8, order)
        local forbidden = 0
        for bit, features in pairs(facts.cr4_features) do
            if policy and numbers.bits(lo, hi, bit, 1) == 1 and are_missing(policy, features) then
                forbidden = forbidden + 2 ^ bit
            end
        end
        if forbidden > 0 then
            tell("hvm-cpu-cr4", ("%s: cr4 is %s: the CPU policy does not allow bits %s"):format(name,
                structs.flags_meaning(facts.cr4, lo, hi), hex(forbidden, 0)))
        end
        local bits = (register(policy, facts.physical_bits, 0, "a") or 0) % 256
        lo, hi = halves(body, at + field.cr3, 8, order)
        local above_lo, above_hi = numbers.bits(lo, hi, bits, 64)
        if bits > 0 and above_lo + above_hi > 0 then
            tell("hvm-cpu-cr3", ("%s: cr3 is %s, physical addresses have %.0f bits"):format(name, hex(lo, hi), bits))
        end
    end

    hvm_context_rules.checks[facts.kind] = function(tell, name, body, at, order, entry, guest)
        local field = facts.layouts[entry.stop - at] or facts.at
        check_control(tell, name, body, at, order, field)
        check_event(tell, name, body, at, order, field)
        check_by_policy(tell, name, body, at, order, field, guest.policy)
    end

    hvm_context_rules.checks[header.kind] = function(tell, name, body, at, order, _, guest)
        local signature, cpuid = register(guest.policy, 1, 0, "a") or 0, u32(body, at + header.at.cpuid, order)
        if signature > 0 and signature ~= cpuid then
            tell("hvm-header-cpuid", ("%s: the sender's processor is %s, the guest was told %s"):format(name, hex(cpuid, 0),
                hex(signature, 0)))
        end
    end
end
