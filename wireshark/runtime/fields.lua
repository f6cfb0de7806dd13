-- The protocol and its fields: one for each row of the definitions, and those that say where in a migration one is.
local protocol = Proto("xenmig", "Xen migration")
local fields = {}
do
    local enumerations = definitions.enumerations
    local list = {}

    local function add(key, field)
        if fields[key] == nil then
            fields[key] = field
            list[#list + 1] = field
        end
    end

    local makers = {
        u8 = ProtoField.uint8, u16 = ProtoField.uint16, u32 = ProtoField.uint32, u64 = ProtoField.uint64,
        i8 = ProtoField.int8, i32 = ProtoField.int32, i64 = ProtoField.int64,
    }
    local sized = { ProtoField.uint8, ProtoField.uint16, nil, ProtoField.uint32 }

    local function number(row, maker, mask)
        local base_of, values = row.hex and base.HEX or base.DEC, nil
        if row.values then
            values = enumerations[row.values].names
        elseif row.unit and base_of == base.DEC then
            base_of, values = base.DEC + base.UNIT_STRING, { " " .. (row.one or row.unit), " " .. row.unit }
        end
        add(row.key, maker("xenmig." .. row.key, row.name, base_of, values, mask, row.doc))
    end

    -- Masks above 32 bits do not work before Wireshark 4.4: bits of wider words are fields without one.
    local function bits(row)
        for _, part in ipairs(row.bits or {}) do
            local shown = { key = part.key, name = part.name, doc = part.doc, values = part.values, unit = part.unit }
            shown.hex = part.values and enumerations[part.values].digits > 0 or not part.values and part.width > 8
            if row.size <= 4 then
                number(shown, sized[row.size], (2 ^ part.width - 1) * 2 ^ part.low)
            else
                number(shown, part.width > 32 and ProtoField.uint64 or ProtoField.uint32)
            end
        end
        for _, flag in ipairs(row.flags or {}) do
            local width = row.size > 4 and 32 or row.size * 8
            local text = flag.doc and { "yes: " .. flag.doc, "no" } or nil
            add(flag.key, ProtoField.bool("xenmig." .. flag.key, flag.name, width, text, 2 ^ (flag.bit % 32), flag.doc))
        end
    end

    local add_struct

    local function add_row(row)
        local kind = row.kind
        if makers[kind] then
            number(row, makers[kind])
            bits(row)
        elseif kind == "octets" then
            add(row.key, ProtoField.bytes("xenmig." .. row.key, row.name, base.NONE, row.doc))
        elseif kind == "text" or kind == "strings" then
            add(row.key, ProtoField.string("xenmig." .. row.key, row.name, base.UNICODE, row.doc))
        elseif kind == "array" and row.item.kind then
            add_row(row.item)
        elseif kind == "struct" or kind == "array" or kind == "chain" then
            add(row.key, ProtoField.none("xenmig." .. row.key, row.name, row.doc))
            add_struct(row.item)
            for _, entry in pairs(row.entries or {}) do
                add(entry.key, ProtoField.none("xenmig." .. entry.key, entry.name, entry.doc))
                add_struct(entry)
            end
            if row.data then
                add_row(row.data)
            end
        end
    end

    function add_struct(definition)
        for _, row in ipairs(definition.rows) do
            add_row(row)
        end
    end

    -- What says more comes first: of two fields of one name the first counts.
    for _, layer in ipairs({ "libxl", "libxc" }) do
        for _, body in pairs(definitions.closest[layer]) do
            for _, definition in pairs(body.choices) do
                add(definition.key, ProtoField.none("xenmig." .. definition.key, definition.name, definition.doc))
                add_struct(definition)
            end
        end
    end
    for _, key in ipairs(definitions.order) do
        local definition = definitions.structs[key]
        add(key, ProtoField.none("xenmig." .. key, definition.name, definition.doc))
        add_struct(definition)
    end

    for _, layer in ipairs({ "libxl", "libxc" }) do
        local key = layer .. ".record"
        add(key .. ".padding", ProtoField.bytes("xenmig." .. key .. ".padding", "padding", base.NONE,
            "zeros up to a multiple of 8 octets"))
    end
    add("libxc.record.header_end", ProtoField.bytes("xenmig.libxc.record.header_end", "header_end", base.NONE,
        "pointer behind the header that Xen 4.18 and later write in front of a list of dirty pfns: NULL"))

    local function plain(key, name, maker, ...)
        add(key, maker("xenmig." .. key, name, ...))
    end

    local page = "libxc.page_data."
    plain(page .. "first_pfn", "first pfn", ProtoField.uint64, base.HEX, nil, nil, "pfn of the first entry")
    plain(page .. "last_pfn", "last pfn", ProtoField.uint64, base.HEX, nil, nil, "pfn of the last entry")
    plain(page .. "pages", "pages", ProtoField.uint32, base.DEC, nil, nil, "entries with a page behind the array")
    for kind, one in pairs(definitions.page_types) do
        plain(page .. "types." .. one.name:lower(), one.name, ProtoField.uint32, base.DEC, nil, nil,
            ("entries of type 0x%x: %s"):format(kind, one.doc))
    end
    plain(page .. "page", "page", ProtoField.uint32, base.DEC, nil, nil,
        "number in its record of the first page that the segment holds a part of, from 0")
    plain(page .. "page.pfn", "pfn", ProtoField.uint64, base.HEX, nil, nil,
        "guest frame number of the first page that the segment holds a part of")
    plain(page .. "page.last_pfn", "last pfn", ProtoField.uint64, base.HEX, nil, nil,
        "guest frame number of the last page that the segment holds a part of")

    plain("cpu_feature", "feature", ProtoField.string, base.UNICODE, "feature of the processor that the guest may use, by Xen's name")

    plain("xl.message", "Message", ProtoField.string, base.UNICODE, "text of the conversation of xl migrate, by its name")
    plain("xl.text", "Text", ProtoField.string, base.UNICODE, "the text as it was sent")
    plain("xl.status", "Status", ProtoField.uint8, base.DEC, enumerations[definitions.status].names, nil,
        "0 when the guest runs on the destination, else a libxl error")

    plain("migration", "Migration", ProtoField.uint32, base.DEC, nil, nil, "number of the connection, from 1")
    plain("guest", "Guest", ProtoField.string, base.UNICODE, "name of the guest, from its configuration in front of the stream")
    plain("role", "Role", ProtoField.string, base.UNICODE, "who speaks: sender or receiver")
    plain("position", "Position", ProtoField.uint64, base.DEC, nil, nil,
        "position in the direction of the connection of the first byte of the segment")
    plain("phase", "Phase", ProtoField.string, base.UNICODE, "part of the migration")
    plain("record", "Record", ProtoField.uint32, base.DEC, nil, nil,
        "number of the record in its stream, from 0, counted over both layers")
    plain("record.position", "Position of the record", ProtoField.uint64, base.DEC, nil, nil,
        "position in the direction of the connection of the first byte of the record")
    plain("finding.text", "Whole text of the finding", ProtoField.string, base.NONE, nil, nil,
        "where it is longer than the labels that Wireshark shows")
    plain("finding.record", "Finding about an earlier record", ProtoField.uint32, base.DEC, nil, nil,
        "number of the record that breaks the rule, where only this later one shows that it does")
    plain("finding.frame", "Shown in frame", ProtoField.framenum, base.NONE, nil, nil,
        "the frame that shows the record that breaks the rule")
    plain("iteration", "Iteration", ProtoField.uint32, base.DEC, nil, nil, "pass over guest memory, from 0")
    plain("pages_so_far", "Pages so far", ProtoField.uint64, base.DEC, nil, nil,
        "pages of guest memory sent in front of the first byte of the segment, or up to the end of the record")
    plain("bytes_left", "Bytes left in the record", ProtoField.uint64, base.DEC, nil, nil,
        "bytes of the record that follow the segment")
    plain("missing", "Bytes missing from the capture", ProtoField.uint64, base.DEC, nil, nil,
        "bytes of the stream in front of this segment that the capture does not hold")
    plain("hint", "Hint", ProtoField.string, base.UNICODE, "what may help to see more")
    plain("skipped", "Bytes not understood", ProtoField.uint64, base.DEC, nil, nil,
        "bytes between the place where the position was lost and this one")
    plain("fragment", "Fragment", ProtoField.none, "part of something that another frame completes")
    plain("begins_in", "Begins in frame", ProtoField.framenum, base.NONE, nil, nil, "the frame with the first byte")
    plain("shown_in", "Shown in frame", ProtoField.framenum, base.NONE, nil, nil, "the frame that shows the whole")
    plain("completed_in", "Completed in frame", ProtoField.framenum, base.NONE, nil, nil,
        "the frame that completes it and shows the whole; not known yet in the only pass of tshark")

    protocol.fields = list

    -- Explicit values, each of the type that its field takes: a wrong one ends Wireshark 4.6.
    function fields.u32(tree, key, value)
        if value and value >= 0 and value < 4294967296 then
            return tree:add(fields[key], math.floor(value)):set_generated()
        end
    end

    function fields.u64(tree, key, value)
        if value and value >= 0 then
            return tree:add(fields[key], UInt64.new(value % 4294967296, math.floor(value / 4294967296))):set_generated()
        end
    end

    function fields.text(tree, key, value)
        if value then
            return tree:add(fields[key], tostring(value)):set_generated()
        end
    end

    function fields.frame(tree, key, value)
        if value and value > 0 then
            return tree:add(fields[key], math.floor(value)):set_generated()
        end
    end
end
