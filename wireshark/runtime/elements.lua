-- What a header, a record or a text looks like in the tree, where a segment shows it whole.
local elements = {}
do
    local format = string.format
    local PAGE_DATA = definitions.PAGE_DATA
    local HEADER, HEAD = definitions.record_header, definitions.page_data_head
    local structs_by_key = definitions.structs

    elements.show_pfns = false

    local function type_name(record)
        local body = definitions.records[record.layer][record.type]
        if body then
            return body.name
        end
        return format("record 0x%08x", record.type)
    end
    elements.type_name = type_name

    local function header_name(element)
        return format("%s %s", element.layer, structs_by_key[element.key].name:lower():gsub("_", " "))
    end

    -- What to call an element whose beginning was shown in another frame.
    function elements.name(element)
        return element.kind == "record" and format("%s #%d", type_name(element), element.index) or header_name(element)
    end

    local function context(item, element, direction)
        fields.text(item, "phase", passes.phase(element))
        fields.u64(item, "record.position", element.at)
        if element.index then
            fields.u32(item, "record", element.index)
        end
        if element.pass then
            fields.u32(item, "iteration", element.pass.index)
            fields.u64(item, "pages_so_far", element.pages_before + element.with_data)
        end
        return direction
    end

    local function resynchronised(item, element)
        if element.resync then
            fields.u64(item, "skipped", element.resync.skipped)
            findings.add(item, "resynchronised", { actual = element.resync.skipped, evidence = element.resync.evidence })
        end
    end

    -- Headers ------------------------------------------------------------------------------------------------------

    local function header_words(element, data)
        local words = header_name(element)
        if element.key == "libxc.domain_header" and #data >= 16 then
            local guest = definitions.enumerations["libxc.DomainType"].names[numbers.u32(data, 1, element.order)]
            words = format("%s: %s, Xen %.0f.%.0f", words, guest or "unknown guest",
                numbers.u32(data, 9, element.order), numbers.u32(data, 13, element.order))
        elseif element.guest then
            words = format("%s: guest %s", words, element.guest)
        elseif element.key == "libxc.image_header" and #data >= 16 then
            words = format("%s: version %.0f", words, numbers.u32(data, 13, ">"))
        end
        return words
    end

    local function header(tree, element, tvb, base, data)
        local definition = structs_by_key[element.key]
        local item = tree:add(fields[element.key], tvb(base, #data))
        item:set_text(header_name(element))
        local sink = trees.sink(item, tvb, base, function(kind, path, message, actual, expected)
            if not element.cut then
                return header_rules.of_problem(element, kind, path, message, actual, expected)
            end
        end)
        structs.decode(definition, data, 1, #data + 1, element.order, 1, sink)
        fields.text(item, "guest", element.guest)
        return item
    end

    -- Records ------------------------------------------------------------------------------------------------------

    local function page_words(record)
        local pfns = record.pfns
        local said = record.count and numbers.count(record.count, "pfn") or "? pfns"
        if not pfns or pfns.count == 0 then
            return format("PAGE_DATA #%d: %s", record.index, said)
        end
        local which = format(pfns.count == 1 and "0x%x" or "0x%x-0x%x", pfns.first, pfns.last)
        return format("PAGE_DATA #%d: %s %s, %s", record.index, said, which, numbers.count(record.with_data or 0, "page"))
    end

    local function record_words(record)
        if record.type == PAGE_DATA and record.layer == "libxc" then
            return page_words(record)
        end
        return type_name(record)
    end

    local function page_summary(item, record)
        local pfns = record.pfns
        if not pfns or pfns.count == 0 then
            return
        end
        local key = "libxc.page_data."
        fields.u64(item, key .. "first_pfn", pfns.first)
        fields.u64(item, key .. "last_pfn", pfns.last)
        fields.u32(item, key .. "pages", pfns.with_data)
        for kind, number in pairs(pfns.types) do
            local known = definitions.page_types[kind]
            if known then
                fields.u32(item, key .. "types." .. known.name:lower(), number)
            end
        end
    end

    -- Which rule a problem is that decoding the body of a record by definition finds, and what fills its message.
    local function rule_of_body(record)
        -- What is wrong with a PAGE_DATA was found when it came, without looking at it word by word.
        local silent = record.zero_content or record.type == PAGE_DATA and record.layer == "libxc" and record.count
        return function(kind, path, message)
            if not silent then
                return body_rules.of_problem(record, kind, path), { what = rules.what(record), problem = message }
            end
        end
    end

    local function record(tree, element, tvb, base, data, direction)
        local layer = element.layer
        local key = layer .. ".record"
        local item = tree:add(fields[key], tvb(base, #data))
        item:set_text(format("%s record #%d: %s, %s", layer, element.index, type_name(element),
            numbers.count(element.length, "byte")))
        local order = element.order
        local add = order == "<" and item.add_le or item.add
        add(item, fields[key .. ".type"], tvb(base, 4))
        add(item, fields[key .. ".length"], tvb(base + 4, 4))
        local definition = structs.body(element)
        local is_page_data = element.type == PAGE_DATA and layer == "libxc"
        -- Behind the header, and behind what Xen 4.18 adds to that of a list of dirty pfns.
        local begins = HEADER + 1 + (element.extra or 0)
        if element.extra then
            item:add(fields[key .. ".header_end"], tvb(base + HEADER, element.extra))
        end
        local stop = begins + element.length
        if stop > #data + 1 then
            stop = #data + 1
        end
        if element.large and not is_page_data then
            item:append_text(" [too large to be shown]")
        elseif definition and not element.cut and stop > begins then
            local body = item:add(fields[definition.key], tvb(base + begins - 1, stop - begins))
            body:set_text(definition.name)
            local hidden = is_page_data and not elements.show_pfns and { pfns = true } or nil
            local sink = trees.sink(body, tvb, base + begins - 1, rule_of_body(element), hidden)
            structs.decode(definition, data, begins, stop, body_rules.order(element, data, begins), begins, sink)
            if is_page_data then
                page_summary(body, element)
            end
            cpu_features.show(body, element, tvb, base + begins - 1, data, begins, stop, order)
        elseif definition and not element.cut then
            local body = item:add(fields[definition.key], tvb(base, HEADER))
            body:set_text(definition.name)
            structs.decode(definition, data, begins, stop, order, begins, trees.sink(item, tvb, base + HEADER, rule_of_body(element)))
        elseif is_page_data and element.count and #data >= HEAD then
            local body = item:add(fields[definition.key], tvb(base + HEADER, #data - HEADER))
            body:set_text(definition.name)
            add(body, fields["libxc.page_data.count"], tvb(base + HEADER, 4))
            add(body, fields["libxc.page_data.reserved1"], tvb(base + HEADER + 4, 4))
            page_summary(body, element)
        end
        local unpadded = begins - 1 + element.length
        if #data > unpadded then
            local padding = item:add(fields[key .. ".padding"], tvb(base + unpadded, #data - unpadded))
            local bytes = data:sub(unpadded + 1)
            if bytes:find("[^\0]") then
                findings.add(padding, "padding-not-zero", { what = rules.what(element), padding = numbers.dump(bytes, 8) })
            end
        end
        context(item, element, direction)
        return item
    end

    -- Texts --------------------------------------------------------------------------------------------------------

    local function text(tree, element, tvb, base, data)
        local doc = definitions.text_docs[element.name]
        local item
        if element.name == "status" then
            item = tree:add(fields["xl.status"], tvb(base, 1))
            local status = data:byte(1)
            if status ~= 0 then
                local name = definitions.enumerations[definitions.status].names[status]
                findings.add(item, "receiver-failed", { status = format("%d (%s)", status, name or "unknown") })
            end
        else
            item = tree:add_packet_field(fields["xl.text"], tvb(base, #data), ENC_UTF_8)
            item:append_text(doc and format(" (%s)", doc) or "")
        end
        fields.text(item, "xl.message", element.name)
        return item
    end

    local function text_words(element, data)
        if element.name == "status" then
            local status = data:byte(1) or 255
            return format("status %d (%s)", status, definitions.enumerations[definitions.status].names[status] or "unknown")
        end
        return format("%s: %s", element.name, definitions.text_docs[element.name] or "")
    end

    -- The bytes of an element that this segment shows whole, as a Tvb, the index in it, and a string.
    local function bytes_of(element, tvb, position, detailed)
        if element.at >= position then
            local size = element.whole - element.at
            local at = element.at - position
            if at + size <= tvb:len() then
                return tvb, at, size > 0 and tvb:raw(at, size) or ""
            end
        elseif element.bytes then
            local joined = detailed and ByteArray.new(element.bytes, true):tvb("Reassembled Xen record") or nil
            return joined, 0, element.bytes
        end
        return nil
    end

    -- Show an element whole; returns the words for the info column, or nil when its bytes are not there.
    function elements.show(tree, element, tvb, position, direction)
        local source, base, data = bytes_of(element, tvb, position, tree ~= nil)
        if data == nil or #data == 0 then
            return nil
        end
        local item
        if tree then
            if element.kind == "header" then
                item = header(tree, element, source, base, data)
                context(item, element, direction)
            elseif element.kind == "record" then
                item = record(tree, element, source, base, data, direction)
            else
                item = text(tree, element, source, base, data)
                context(item, element, direction)
            end
            if element.at < position then
                fields.frame(item, "begins_in", element.frame)
            end
            if element.cut then
                item:append_text(" [bytes of it are missing from the capture]")
            end
            resynchronised(item, element)
            findings.show(item, element)
        end
        if element.kind == "header" then
            return header_words(element, data)
        elseif element.kind == "record" then
            return record_words(element)
        end
        return text_words(element, data)
    end
end
