-- Records, and which layer goes on after which record: core/decode/records.py.
local records = {}
do
    local sub = string.sub
    local u32 = numbers.u32
    local take, settle = directions.take, directions.settle
    local KEPT = directions.KEPT
    local PAGE_DATA, LIMIT = definitions.PAGE_DATA, definitions.length_limit
    -- Bytes of a record's header, of a PAGE_DATA up to its pfns, and of a pfn.
    local HEADER, HEAD, PFN = definitions.record_header, definitions.page_data_head, definitions.pfn_size
    -- An unknown type from here on, with a body too large to look behind, is garbage and not a record.
    local UNPASSABLE_TYPE, UNPASSABLE_LENGTH = definitions.limits.unpassable_type, definitions.limits.unpassable_length
    local OPTIONAL = definitions.optional
    local names = definitions.record_numbers
    local state, expect, enter, to_records = states.of, states.expect, states.enter, states.to_records
    local know, keep, give_up, lose_at = states.know, states.keep, states.give_up, states.lose_at

    local hand_over

    -- Hold a record to the rules, once all of it is there (`body`), as much of it as is kept, or as much as ever will be.
    local function judge(direction, record, body)
        local kind, layer = record.type, record.layer
        direction.guest:record(record, body)
        if definitions.records[layer][kind] == nil then
            local rule = kind >= OPTIONAL and layer .. "-record-optional" or "record-type-unknown"
            rules.tell(record, rule, { actual = record.length })
            return
        elseif layer == "libxc" then
            direction.libxc:record(record)
        else
            direction.libxl:record(record, body)
        end
        if body then
            body_rules.look(direction, record, body)
        elseif record.large then
            body_rules.large(record)
        end
    end

    -- The same for a PAGE_DATA with these pfns, false where there are too many; `reserved` is the number behind their count.
    local function judge_pages(direction, record, words, reserved)
        if not direction.libxc.memory_open then
            direction.libxc:page_data(record)
        end
        if words then
            body_rules.page_data(record, words, reserved)
        end
        memory_rules.look(direction.guest, record, words, record.pfns)
        if words and direction.guest.pages then
            direction.guest.pages:batch(record, words)
        end
    end

    -- The record has passed by.
    local function finish(direction, record)
        direction.pending = nil
        record.ended = direction.frame
        direction.index = direction.index + 1
        direction.need = HEADER
        passes.take(direction, record)
        hand_over(direction, record)
    end

    local function passed(direction)
        local record = direction.pending
        if record then
            finish(direction, record)
        end
    end

    local function begin(direction, buffer, at, kind, length, order)
        local position = direction.base + at - 1
        local record = take(direction, position, "record")
        if record.type == nil then
            record.layer, record.order, record.type, record.length = direction.layer, order, kind, length
            record.index = direction.index
            know(direction, record, record.at + HEADER)
            record.stop = record.at + HEADER + length + (-length) % 8
            record.head = sub(buffer, at, at + HEAD - 1)
            record.missing = 0
            record.guest_width = direction.guest.width
            passes.begin(direction, record)
        end
        return record
    end

    local function page_data(direction, buffer, at, length, order)
        local left = #buffer - at + 1
        local record = begin(direction, buffer, at, PAGE_DATA, length, order)
        if left < HEAD then
            direction.open = record
            direction.need = HEAD
            return at
        end
        local count = u32(buffer, at + HEADER, order)
        local room = length - (HEAD - HEADER)
        local listed = room - room % PFN
        if count * PFN < listed then
            listed = count * PFN
        end
        record.count = count
        record.head = sub(buffer, at, at + HEAD - 1)
        -- Of an array that is larger than what is kept, that much is looked at and nothing told of its pages.
        local kept = listed < KEPT and listed or KEPT
        if left - HEAD < kept then
            direction.open = record
            direction.need = HEAD + kept
            return at
        end
        local words = sub(buffer, at + HEAD, at + HEAD + kept - 1)
        record.pfns = pages.look(words, order)
        record.first_page = record.at + HEAD + listed
        if kept == listed and record.pfns.with_data > 0 then
            record.words = words
            local found = record.pfns
            if found.with_data == found.count and not found.descends and found.last - found.first == found.count - 1 then
                record.row = found.first
            end
        end
        judge_pages(direction, record, kept == listed and words, u32(buffer, at + HEADER + 4, order))
        settle(direction, record, record.at + HEAD + kept, record.stop)
        keep(direction, record, buffer, at, HEAD + kept)
        passes.pages(direction, record)
        direction.pending = record
        direction.skip = record.stop - record.whole
        if direction.skip == 0 then
            finish(direction, record)
        elseif direction.guest.pages then
            page_contents.look(direction, record)
        end
        return at + HEAD + kept
    end

    function state.records(direction, buffer, at)
        local layer = direction.layer
        local order = direction["order_" .. layer]
        local left = #buffer - at + 1
        if left < HEADER then
            direction.need = HEADER
            return at
        end
        local kind, length = u32(buffer, at, order), u32(buffer, at + 4, order)
        if kind == PAGE_DATA and layer == "libxc" and length >= HEAD - HEADER and length <= LIMIT then
            return page_data(direction, buffer, at, length, order)
        end
        if length > LIMIT then
            return lose_at(direction, buffer, at, "record-length-limit", true, length)
        end
        if kind % OPTIONAL >= UNPASSABLE_TYPE and length > UNPASSABLE_LENGTH then
            return lose_at(direction, buffer, at, "record-type-unknown", true, length)
        end
        local record = begin(direction, buffer, at, kind, length, order)
        local size = record.stop - record.at
        if length > KEPT then
            -- Its header is all that is shown.
            settle(direction, record, record.at + HEADER, record.stop)
            record.large = true
            size = HEADER
        elseif left < size then
            direction.open = record
            direction.need = size
            return at
        else
            settle(direction, record, record.stop, record.stop)
        end
        keep(direction, record, buffer, at, size)
        judge(direction, record, not record.large and sub(buffer, at + HEADER, at + HEADER + length - 1) or nil)
        if record.stop > record.whole then
            direction.pending = record
            direction.skip = record.stop - record.whole
        else
            finish(direction, record)
        end
        return at + size
    end

    -- Change the layer where a record says so.
    function hand_over(direction, record)
        local kind = record.type
        if record.layer == "libxc" then
            if kind == names.libxc.END then
                direction.libxc_ended = true
                if direction.outer == "" then
                    records.complete(direction)
                elseif direction.outer == "?" then
                    expect(direction, "after_libxc", HEADER, "record header")
                else
                    to_records(direction, "libxl")
                end
            elseif kind == names.libxc.CHECKPOINT and direction.outer ~= "" then
                if direction.outer == "?" then
                    expect(direction, "after_libxc", HEADER, "record header")
                else
                    direction.checkpoint = "inside"
                    to_records(direction, "libxl")
                end
            end
        elseif kind == names.libxl.LIBXC_CONTEXT then
            direction.libxc_ended = false
            enter(direction, "libxc")
        elseif kind == names.libxl.CHECKPOINT_END then
            if direction.checkpoint == "inside" then
                expect(direction, "after_checkpoint", HEADER, "record header")
            end
        elseif kind == names.libxl.CHECKPOINT_STATE then
            if direction.checkpoint == "after" then
                to_records(direction, "libxc")
            end
        elseif kind == names.libxl.END then
            records.complete(direction)
        end
    end

    -- Remus goes on with libxc records; COLO says CHECKPOINT_STATE first, still in libxl.
    function state.after_checkpoint(direction, buffer, at)
        if #buffer - at + 1 < HEADER then
            direction.need = HEADER
            return at
        end
        local order = direction.order_libxl
        if u32(buffer, at, order) == names.libxl.CHECKPOINT_STATE and u32(buffer, at + 4, order) == 4 then
            direction.checkpoint = "after"
            to_records(direction, "libxl")
        else
            to_records(direction, "libxc")
        end
        return state.records(direction, buffer, at)
    end

    -- After a libxc END or CHECKPOINT in a stream whose beginning was missed: is there a libxl stream around it?
    function state.after_libxc(direction, buffer, at)
        if #buffer - at + 1 < HEADER then
            direction.need = HEADER
            return at
        end
        local order = direction.order_libxl
        local kind, length = u32(buffer, at, order), u32(buffer, at + 4, order)
        if definitions.records.libxl[kind] and kind ~= names.libxl.LIBXC_CONTEXT and length <= LIMIT then
            direction.outer = "libxl"
            direction.checkpoint = direction.libxc_ended and "outside" or "inside"
            to_records(direction, "libxl")
            return state.records(direction, buffer, at)
        end
        direction.outer = ""
        if direction.libxc_ended then
            records.complete(direction)
            return state.tail(direction, buffer, at)
        end
        to_records(direction, "libxc")
        return state.records(direction, buffer, at)
    end

    -- After the end ------------------------------------------------------------------------------------------------

    function records.complete(direction)
        direction.over = true
        direction.pending = nil
        expect(direction, "tail", 1, "what follows the stream")
    end

    function state.tail(direction, buffer, at)
        local text = definitions.texts.permission
        local here = sub(buffer, at, at + #text - 1)
        if here == text then
            local element = take(direction, direction.base + at - 1, "text")
            element.name, element.layer, element.phase = "permission", "xl", definitions.phases.hand_over
            know(direction, element, element.at + #text)
            settle(direction, element, element.at + #text, element.at + #text)
            keep(direction, element, buffer, at, #text)
            return at + #text
        end
        if sub(text, 1, #here) == here then
            direction.need = #text
            return at
        end
        return give_up(direction, buffer, at, "trailing-data", #buffer - at + 1)
    end

    records.finish, records.passed, records.judge, records.judge_pages = finish, passed, judge, judge_pages
end
