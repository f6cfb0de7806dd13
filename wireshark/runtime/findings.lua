-- Expert information: the rules of core/check/rules.py, with the same ids, severities and words.
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

    -- Wireshark cuts texts to 239 bytes, its own words in front of a finding included: epan/proto.h, ITEM_LABEL_LENGTH.
    local FITS = 200

    -- Attach a finding to an item of the tree.
    function findings.add(item, id, values)
        if experts[id] then
            local message = rules.message(id, values)
            item:add_proto_expert_info(experts[id], message)
            if #message > FITS then
                -- The label goes on where that of the finding ends; the field holds all of it.
                local seen = message:sub(1, FITS):find(" [^ ]*$") or FITS
                fields.text(item, "finding.text", message):set_text("..." .. message:sub(seen))
            end
        end
    end

    -- Attach what was found when an element came: of it, or of an earlier record, which is then named.
    function findings.show(item, element)
        for _, found in ipairs(element.findings or {}) do
            local of, about = item, found.about
            if about then
                of = fields.u32(item, "finding.record", about.index)
                fields.frame(of, "finding.frame", about.last)
            end
            findings.add(of, found.rule, found.values)
        end
    end
end
