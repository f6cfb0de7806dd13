-- Expert information: the rules of core/check/rules.py that one segment can show, with the same ids and words.
local findings = {}
do
    local severities = { error = expert.severity.ERROR, warning = expert.severity.WARN, note = expert.severity.NOTE }
    local groups = {
        ["capture-hole"] = expert.group.SEQUENCE,
        ["resynchronised"] = expert.group.SEQUENCE,
        ["record-type-unknown"] = expert.group.UNDECODED,
        ["libxc-record-optional"] = expert.group.UNDECODED,
        ["libxl-record-optional"] = expert.group.UNDECODED,
        ["body-length"] = expert.group.MALFORMED,
        ["body-count"] = expert.group.MALFORMED,
        ["record-length-limit"] = expert.group.MALFORMED,
        ["page-data-length"] = expert.group.MALFORMED,
    }
    local experts, list = {}, {}
    for id, rule in pairs(definitions.rules) do
        experts[id] = ProtoExpert.new("xenmig.rule." .. id, rule.title, groups[id] or expert.group.PROTOCOL,
            severities[rule.severity])
        list[#list + 1] = experts[id]
    end
    protocol.experts = list

    -- Fill the names in braces of a rule's message from `values`.
    function findings.message(id, values)
        return (definitions.rules[id].message:gsub("{([%w_]+):?([%w]*)}", function(name, how)
            local value = values[name]
            if value == nil then
                return "?"
            elseif how ~= "" and type(value) == "number" then
                return (("%" .. how):format(value))
            elseif type(value) == "number" then
                return numbers.decimal(value)
            end
            return value
        end))
    end

    -- Attach a finding to an item of the tree.
    function findings.add(item, id, values)
        if experts[id] then
            item:add_proto_expert_info(experts[id], findings.message(id, values))
        end
    end

    -- Which rule a problem is that decoding by definition found.
    findings.of_problem = {
        reserved = "reserved-not-zero", value = "unknown-value", length = "body-length", count = "body-count",
    }
end
