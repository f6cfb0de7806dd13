-- Rules over single entries of a HVM_CONTEXT: core/check/hvm_context.py.
do
    local facts = definitions.hvm_entry_rules
    local halves, u32, hex = numbers.halves, numbers.u32, numbers.hex
    local checks = hvm_context_rules.checks

    checks[facts.pic.kind] = function(tell, name, body, at, _, entry)
        local field, master = facts.pic.at, entry.instance == 0
        if (numbers.band(body:byte(at + field.modes), facts.pic.master) > 0) ~= master then
            tell("hvm-pic", name .. ": instance 0 is the master, 1 the slave, and it says otherwise")
        end
        local elcr = body:byte(at + field.elcr)
        if numbers.band(elcr, facts.pic.edge[master and 1 or 2]) > 0 then
            tell("hvm-pic", ("%s: elcr is %s: some of these inputs are always edge-triggered"):format(name,
                structs.flags_meaning(facts.pic.irqs, elcr, 0)))
        end
        local output = body:byte(at + field.int_output)
        if output > 1 or output == 1 and body:byte(at + field.initialisation) % 16 > 0 then
            tell("hvm-pic", ("%s: int_output is %.0f: it is 0 or 1, and 0 while it is initialised"):format(name, output))
        end
    end

    local function is_zero(body, at, size)
        return not body:sub(at, at + size - 1):find("[^\0]")
    end

    checks[facts.hpet.kind] = function(tell, name, body, at)
        for _, field in ipairs(facts.hpet.reserved) do
            if not is_zero(body, at + field.at, field.size) then
                tell("hvm-hpet-reserved", ("%s: %s is not zero"):format(name, field.name))
            end
        end
        local wrong = false
        for number = 0, facts.hpet.timers - 1 do
            local timer = at + facts.hpet.timers_at + number * facts.hpet.timer
            wrong = wrong or not is_zero(body, timer + facts.hpet.res4.at, facts.hpet.res4.size)
        end
        if wrong then
            tell("hvm-hpet-reserved", name .. ": res4 of a timer is not zero")
        end
    end

    checks[facts.pci_link.kind] = function(tell, name, body, at, _)
        local routes, most = {}, 0
        for index = 1, facts.pci_link.count do
            local route = body:byte(at + facts.pci_link.at.route + index - 1)
            routes[index], most = ("%.0f"):format(route), math.max(most, route)
        end
        if most >= facts.pci_link.irqs then
            tell("hvm-pci-link", ("%s: routes are %s: they are below %.0f"):format(name, table.concat(routes, ", "),
                facts.pci_link.irqs))
        end
    end

    checks[facts.lapic.kind] = function(tell, name, body, at, order)
        local field, flags = facts.lapic.at, facts.lapic.disabled
        local base = u32(body, at + field.apic_base_msr + (order == ">" and 4 or 0), order)
        if numbers.band(base, facts.lapic.extd) > 0 and numbers.band(base, facts.lapic.en) == 0 then
            tell("hvm-lapic-base", name .. ": x2APIC mode is on and the APIC is not enabled")
        end
        local disabled = u32(body, at + field.disabled, order)
        if disabled > facts.lapic.disabled_max then
            tell("hvm-lapic-state", ("%s: disabled is %s: only bits 0 and 1 are ever set"):format(name,
                structs.flags_meaning(flags, disabled, 0)))
        end
        local divisor, power = u32(body, at + field.timer_divisor, order), 1
        while power < divisor and power < facts.lapic.divisor_max do
            power = power * 2
        end
        if power ~= divisor then
            tell("hvm-lapic-state", ("%s: timer_divisor is %.0f: it is a power of two, at most %.0f"):format(name,
                divisor, facts.lapic.divisor_max))
        end
    end

    checks[facts.pit.kind] = function(tell, name, body, at, order)
        local field, most = facts.pit.channel_at, facts.pit.most
        for number = 0, facts.pit.channels - 1 do
            local channel = at + facts.pit.at.channels + number * facts.pit.channel
            local function check(one, value, wrong)
                if wrong then
                    tell("hvm-pit", ("%s: %s of channel %.0f is %.0f"):format(name, one, number, value))
                end
            end
            local count, gate = u32(body, channel + field.count, order), body:byte(channel + field.gate)
            check("count", count, count > most.count)
            for _, one in ipairs({ "rw_mode", "bcd" }) do
                local value = body:byte(channel + field[one])
                check(one, value, value > most[one])
            end
            check("gate", gate, gate > most.gate or number < facts.pit.gated and gate ~= 1)
            local mode = body:byte(channel + field.mode)
            if not facts.pit.modes[mode] then
                tell("hvm-pit-mode", ("%s: mode of channel %.0f is %s"):format(name, number,
                    structs.meaning(definitions.enumerations[facts.pit.mode], mode)))
            end
        end
        local speaker = u32(body, at + facts.pit.at.speaker_data_on, order)
        if speaker > 1 then
            tell("hvm-pit", ("%s: speaker_data_on is %.0f: it is 0 or 1"):format(name, speaker))
        end
    end

    local function of_types(types, body, at, size)
        for index = at, at + size - 1 do
            if not types[body:byte(index)] then
                return false
            end
        end
        return true
    end

    checks[facts.mtrr.kind] = function(tell, name, body, at, order)
        local field = facts.mtrr.at
        local ranges = halves(body, at + field.msr_mtrr_cap, 8, order) % 256
        if ranges > facts.mtrr.ranges then
            tell("hvm-mtrr-count", ("%s: there are %.0f variable ranges: %.0f at most"):format(name, ranges,
                facts.mtrr.ranges))
        end
        local lo, hi = halves(body, at + field.msr_mtrr_def_type, 8, order)
        if hi > 0 or numbers.band(lo, facts.mtrr.def_type) ~= lo or not facts.mtrr.types[lo % 256] then
            tell("hvm-mtrr-type", ("%s: msr_mtrr_def_type is %s"):format(name, hex(lo, hi)))
        end
        if not of_types(facts.mtrr.types, body, at + field.msr_mtrr_fixed, 8 * facts.mtrr.fixed) then
            tell("hvm-mtrr-type", name .. ": a fixed range has a memory type that does not exist")
        end
        if not of_types(facts.mtrr.pat_types, body, at + field.msr_pat_cr, 8) then
            lo, hi = halves(body, at + field.msr_pat_cr, 8, order)
            tell("hvm-mtrr-type", ("%s: the PAT is %s: it has a type that does not exist"):format(name, hex(lo, hi, 16)))
        end
    end
end
