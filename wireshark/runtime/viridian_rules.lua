-- Whether HVM_CONTEXT has the entries of Viridian that HVM_PARAMS promise: core/check/hvm_context.py, complete. The parameters
-- come behind HVM_CONTEXT or in front of it, so that this is known with the CHECKPOINT or END.
do
    local facts, names = definitions.viridian_rules, definitions.hvm_context_rules
    local typecodes = definitions.enumerations[names.typecode].names

    -- The instances of `first` of which there is none of `second`, and how many there are of `first`.
    local function without(first, second)
        local missing, count = {}, 0
        for number in pairs(first) do
            count = count + 1
            if not second[number] then
                missing[#missing + 1] = number
            end
        end
        table.sort(missing)
        return missing, count
    end

    local function complete(guest, record)
        local context = guest.context
        if context == nil then
            return
        end
        local function tell(problem)
            rules.tell(record, "hvm-context-viridian", { problem = problem }, context.record)
        end
        local instances = {}
        for _, entry in ipairs(context.entries) do
            instances[entry.kind] = instances[entry.kind] or {}
            instances[entry.kind][entry.instance] = true
        end
        if guest.params or guest.whole then
            -- params.h: a parameter that is zero is not written.
            local value = guest.params and guest.params[facts.parameter]
            local wanted = value ~= nil and value.lo + value.hi > 0
            for _, kind in ipairs({ facts.domain, facts.vcpu }) do
                if (instances[kind] ~= nil) ~= wanted then
                    tell(("%s %s, and by HVM_PARAMS the guest %s Viridian"):format(
                        instances[kind] and "there is" or "there is no", typecodes[kind], wanted and "has" or "does not have"))
                end
            end
        end
        local enlightened = instances[facts.vcpu]
        if enlightened then
            local missing, vcpus = without(instances[facts.lapic] or {}, enlightened)
            if #missing > 0 then
                for at, number in ipairs(missing) do
                    missing[at] = ("%.0f"):format(number)
                end
                tell(("there is no %s for vcpu %s of %.0f"):format(typecodes[facts.vcpu],
                    table.concat(missing, ", ", 1, math.min(#missing, names.named_vcpus)), vcpus))
            end
        end
    end

    table.insert(guest_state.completions, complete)
end
