-- Rules over HVM_PARAMS: core/check/params.py.
do
    local halves = numbers.halves
    local facts = definitions.param_rules
    local parameters = facts.parameters

    -- Whether a sender of the guest's release writes the parameter; of an unknown release, whether any does.
    local function written(guest, known)
        if known.since == nil or guest.major == 0 then
            return known.since ~= nil
        end
        local last = known.last
        return guest:since(known.since[1], known.since[2])
            and (last == nil or guest.major < last[1] or guest.major == last[1] and guest.minor <= last[2])
    end

    -- Whether a receiver refuses the value of a parameter that it takes.
    local function refused(index, lo, hi)
        if index == facts.ioreq_pages then
            return hi > 0 or lo == 0 or lo > facts.ioreq_pages_max
        end
        local checked = facts.checked[index]
        if checked == nil then
            return false
        elseif checked.flags then
            local unknown_lo, unknown_hi = structs.unknown_flags(checked.flags, lo, hi)
            return unknown_lo + unknown_hi > 0 or index == facts.viridian and lo + hi > 0 and lo % 2 == 0
        end
        return hi > 0 or definitions.enumerations[checked.values].names[lo] == nil
    end

    local function in_words(index, lo, hi)
        local checked = facts.checked[index]
        if checked == nil then
            return numbers.decimal(lo, hi)
        elseif checked.flags then
            return structs.flags_meaning(checked.flags, lo, hi)
        end
        return structs.meaning(definitions.enumerations[checked.values], lo, hi)
    end

    local function look(guest, record, key, found, index, lo, hi, name)
        local function tell(rule, problem)
            rules.tell(record, rule, { problem = ("%s %s"):format(name, problem) })
        end
        local known = parameters[index]
        if found[key] ~= nil and not guest.converted then
            tell("hvm-param-repeated", "comes a second time")
        end
        if known == nil or not written(guest, known) then
            if known and known.refused then
                rules.tell(record, "hvm-param-refused", { problem = name .. ": no receiver takes it" })
            elseif not guest.converted then
                tell("hvm-param-index", "is none that such a sender writes")
            end
        end
        if lo + hi == 0 and not guest.converted then
            tell("hvm-param-zero", "is zero: senders leave those out")
        end
        if refused(index, lo, hi) then
            tell("hvm-param-value", ("is %s: no receiver takes that"):format(in_words(index, lo, hi)))
        end
    end

    guest_state.subjects[definitions.record_numbers.libxc.HVM_PARAMS] = function(guest, record, body, order)
        local enumeration = definitions.enumerations[facts.index]
        local count = math.min(numbers.u32(body, 1, order), math.floor((#body - facts.first) / facts.size))
        -- By index, those of this checkpoint: the halves of their values. An index beyond 2^32 is none that anybody knows.
        local found = guest.params or {}
        for number = 0, count - 1 do
            local at = 1 + facts.first + facts.size * number
            local index_lo, index_hi = halves(body, at + facts.at.index, 8, order)
            local lo, hi = halves(body, at + facts.at.value, 8, order)
            local key = index_hi == 0 and index_lo or numbers.hex(index_lo, index_hi)
            look(guest, record, key, found, index_hi == 0 and index_lo, lo, hi, structs.meaning(enumeration, index_lo, index_hi))
            found[key] = { lo = lo, hi = hi }
        end
        if found[facts.tss] ~= nil and found[facts.tss_sized] ~= nil then
            rules.tell(record, "hvm-param-tss", { problem = ("%s and %s are both there"):format(
                structs.meaning(enumeration, facts.tss), structs.meaning(enumeration, facts.tss_sized)) })
        end
        guest.params, guest.params_record = found, record
    end

    -- The rings that the guest shares with the toolstack lie in its memory.
    table.insert(guest_state.completions, function(guest, record)
        local came = guest:population()
        if came == nil or guest.params == nil then
            return
        end
        for _, index in ipairs(facts.rings) do
            local value = guest.params[index]
            local pfn = value and value.hi * 2 ^ 32 + value.lo
            if value and pfn > 0 and not came:populated(pfn) then
                rules.tell(record, "hvm-param-page", { problem = ("%s is pfn %s, which never comes"):format(
                    structs.meaning(definitions.enumerations[facts.index], index), numbers.hex(value.lo, value.hi)) },
                    guest.params_record)
            end
        end
    end)
end
