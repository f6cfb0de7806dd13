-- Rules over which entries a HVM_CONTEXT has, in which order and how long: core/check/hvm_context.py.
local hvm_context_rules = {}
do
    local facts = definitions.hvm_context_rules
    local typecodes = definitions.enumerations[facts.typecode].names
    -- By type of an entry that its definition has nothing to say of: function(tell, name, body, at, order, entry, guest).
    hvm_context_rules.checks = {}
    local conforming = { problem = function(self) self.broken = true end }
    for _, call in ipairs({ "leaf", "bits", "open", "close", "array" }) do
        conforming[call] = function() return true end
    end

    -- An entry as people call it: "CPU 0".
    local function name(entry)
        return ("%s %.0f"):format(typecodes[entry.kind] or ("%.0f"):format(entry.kind), entry.instance)
    end

    -- Whether the definition `known` finds nothing wrong with bytes `at` to `stop`, the index behind the last.
    function hvm_context_rules.fits(known, body, at, stop, order)
        conforming.broken = false
        known = known.layouts and known.layouts[stop - at] or known
        structs.decode(known, body, at, stop, order, at, conforming)
        return not conforming.broken
    end

    local function conforms(known, entry, body, order)
        return hvm_context_rules.fits(known, body, entry.at + facts.descriptor, entry.stop, order)
    end

    local function check_order(tell, entries, row, body, order)
        local last = -1
        for _, entry in ipairs(entries) do
            local here = entry.kind * 65536 + entry.instance
            if entry.kind == facts["end"] then
                if entry.instance + entry.length > 0 then
                    tell("hvm-context-tail", "the last entry has an instance or a length")
                end
            else
                if here <= last then
                    tell("hvm-context-order", name(entry)
                        .. (here == last and " comes a second time" or " is out of order"))
                else
                    last = here
                end
                if entry.kind == facts.header and entry.instance == 0 and entry.at > 1
                    and conforms(row.entries[entry.kind], entry, body, order) then
                    tell("hvm-context-order", "HEADER is not the first entry")
                end
            end
        end
    end

    -- Of the entries the last one of each type and instance: type -> instance -> entry.
    local function by_type(entries)
        local found = {}
        for _, entry in ipairs(entries) do
            found[entry.kind] = found[entry.kind] or {}
            found[entry.kind][entry.instance] = entry
        end
        return found
    end

    local function check_instances(tell, found)
        for kind, instances in pairs(found) do
            for number, entry in pairs(instances) do
                if facts.per_guest[kind] and number > 0 or kind == facts.pic and number > 1 then
                    tell("hvm-context-instance", name(entry) .. " should have instance 0")
                end
            end
        end
    end

    local function check_vcpus(tell, found)
        local vcpus, count = {}, 0
        for _, kind in ipairs(facts.every_vcpu) do
            for number in pairs(found[kind] or {}) do
                vcpus[number], count = true, math.max(count, number + 1)
            end
        end
        for _, kind in ipairs(facts.every_vcpu) do
            local instances, missing = found[kind] or {}, {}
            for number = 0, math.min(count, facts.most_vcpus) - 1 do
                if not instances[number] and #missing < facts.named_vcpus then
                    missing[#missing + 1] = ("%.0f"):format(number)
                end
            end
            if #missing > 0 then
                tell("hvm-context-vcpus", ("there is no %s for vcpu %s of %.0f"):format(typecodes[kind],
                    table.concat(missing, ", "), count))
            end
        end
        for _, kind in ipairs(facts.of_vcpu) do
            for number, entry in pairs(found[kind] or {}) do
                if not vcpus[number] then
                    tell(number >= count and "hvm-context-vcpu-unknown" or "hvm-context-vcpus",
                        name(entry) .. " is of a vcpu of which there is nothing else")
                end
            end
        end
        if not found[facts.cpu] then
            tell("hvm-context-vcpus", "there is no CPU: no vcpu runs")
        end
    end

    local function check_devices(tell, found)
        local first, absent = nil, {}
        for _, kind in ipairs(facts.emulated) do
            if not found[kind] then
                absent[#absent + 1] = typecodes[kind]
            else
                first = first or kind
            end
        end
        if first and #absent > 0 then
            tell("hvm-context-devices", ("there is %s and no %s: an HVM guest has all of them, a PVH guest none"):format(
                typecodes[first], table.concat(absent, ", ")))
        elseif first then
            local pics = 0
            for _ in pairs(found[facts.pic]) do
                pics = pics + 1
            end
            if pics ~= 2 then
                tell("hvm-context-devices", "an HVM guest has two PICs")
            end
        end
    end

    local function check_lengths(guest, tell, entries)
        for _, entry in ipairs(entries) do
            local known = facts.least_since[entry.kind]
            if known and entry.length < known.least and guest:since(known.since[1], known.since[2]) then
                tell("hvm-context-length-release", ("%s has %s, Xen %.0f.%.0f writes %.0f"):format(name(entry),
                    numbers.count(entry.length, "byte"), guest.major, guest.minor, known.least))
            end
        end
    end

    -- CPU and CPU_XSAVE hold the same registers.
    local function check_legacy_region(tell, found, body, order)
        local size = facts.legacy
        for number, xsave in pairs(found[facts.xsave] or {}) do
            local cpu = (found[facts.cpu] or {})[number]
            local at, legacy = cpu and cpu.at + facts.descriptor, xsave.at + facts.descriptor + facts.legacy_at
            if cpu and at + facts.flags_at + 4 <= cpu.stop and legacy + size <= xsave.stop
                and numbers.u32(body, at + facts.flags_at, order) > 0
                and body:sub(at, at + size - 1) ~= body:sub(legacy, legacy + size - 1) then
                tell("hvm-cpu-fpu", ("%s: fpu_regs differ from the legacy region of %s"):format(name(cpu), name(xsave)))
            end
        end
    end

    -- Look at the entries of a HVM_CONTEXT, which are those of the chain `row` in `body`: `kind`, `instance`, `at`, `length`,
    -- `stop` (the index behind its data).
    function hvm_context_rules.look(guest, record, entries, row, body, order)
        local function tell(rule, problem)
            rules.tell(record, rule, { problem = problem })
        end
        local found = by_type(entries)
        check_order(tell, entries, row, body, order)
        check_instances(tell, found)
        check_vcpus(tell, found)
        check_devices(tell, found)
        check_lengths(guest, tell, entries)
        for _, entry in ipairs(entries) do
            local check, known = hvm_context_rules.checks[entry.kind], row.entries[entry.kind]
            if check and conforms(known, entry, body, order) then
                check(tell, name(entry), body, entry.at + facts.descriptor, order, entry, guest)
            end
        end
        check_legacy_region(tell, found, body, order)
    end
end
