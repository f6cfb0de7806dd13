-- Rules over X86_TSC_INFO: core/check/tsc.py.
do
    local facts = definitions.tsc_rules
    local at = facts.at

    guest_state.subjects[definitions.record_numbers.libxc.X86_TSC_INFO] = function(guest, record, body, order)
        if #body < at.incarnation then
            return
        end
        local mode, khz = numbers.u32(body, 1 + at.mode, order), numbers.u32(body, 1 + at.khz, order)
        local lo, hi = numbers.halves(body, 1 + at.nsec, 8, order)
        local shown = structs.meaning(definitions.enumerations[facts.mode], mode)
        local function tell(rule, problem, ...)
            rules.tell(record, rule, { problem = problem:format(...) })
        end
        if mode == facts.pvrdtscp and guest:since(facts.no_pvrdtscp[1], facts.no_pvrdtscp[2]) then
            tell("tsc-mode", "mode is %s: Xen %d.%d and later refuse it", shown, facts.no_pvrdtscp[1], facts.no_pvrdtscp[2])
        end
        if mode == facts.never and khz + lo + hi > 0 then
            tell("tsc-values", "mode is %s, and khz %.0f and nsec %s are not zero", shown, khz, numbers.decimal(lo, hi))
        end
        if mode == facts.always and khz == 0 then
            tell("tsc-values", "mode is %s, and khz is zero", shown)
        end
        if hi >= 2147483648 then
            tell("tsc-values", "nsec is %s: more than time can have passed", numbers.hex(lo, hi))
        end
    end
end
