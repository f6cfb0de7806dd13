-- Rules over the MSRs of vcpus, of HVM and PV guests: core/check/cpu_state.py, check_msrs.
do
    local facts = definitions.msr_rules
    local enumeration = definitions.enumerations[facts.msr]

    -- Hold `count` MSRs, the first of which stands at index `at` of `body`, to the rules. `taken` has those that Xen takes
    -- for such a guest, `layout` says where index and value are in each.
    local function look(tell, who, body, at, count, order, taken, layout)
        local seen = {}
        local function tell_of(rule, index, problem)
            tell(rule, ("%s: %s %s"):format(who, structs.meaning(enumeration, index), problem))
        end
        for number = 0, count - 1 do
            local begins = at + number * layout.size
            local index = numbers.u32(body, begins + layout.index, order)
            local lo, hi = numbers.halves(body, begins + layout.value, 8, order)
            if not taken[index] then
                tell_of("msr-index", index, "is none that Xen takes for such a guest")
            end
            if seen[index] then
                tell_of("msr-value", index, "comes twice")
            elseif lo + hi == 0 then
                tell_of("msr-value", index, "is zero: senders leave those out")
            end
            seen[index] = true
        end
    end

    hvm_context_rules.checks[facts.hvm.kind] = function(tell, name, body, at, order)
        local hvm = facts.hvm
        local count = numbers.u32(body, at + hvm.count, order)
        look(tell, name, body, at + hvm.msr, count, order, hvm.taken, hvm.layout)
    end

    guest_state.subjects[definitions.record_numbers.libxc.X86_PV_VCPU_MSRS] = function(_, record, body, order)
        local pv = facts.pv
        local count = math.floor((#body - pv.msrs) / pv.layout.size)
        local who = ("vcpu %.0f"):format(numbers.u32(body, 1, order))
        look(function(rule, problem)
            rules.tell(record, rule, { problem = problem })
        end, who, body, 1 + pv.msrs, count, order, pv.taken, pv.layout)
    end
end
