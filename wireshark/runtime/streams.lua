-- The guest's stream: losing the place in it and finding it again, and holes: core/decode/stream.py.
local streams = {}
do
    local huge, sub, u32 = math.huge, string.sub, numbers.u32
    local add, take, settle = directions.add, directions.take, directions.settle
    local PAGE_DATA = definitions.PAGE_DATA
    local HEADER, HEAD, PFN = definitions.record_header, definitions.page_data_head, definitions.pfn_size
    local sizes = definitions.header_sizes
    local state, expect, enter, to_records = states.of, states.expect, states.enter, states.to_records
    local know, lose, gap = states.know, states.lose, states.gap
    local finish, passed = records.finish, records.passed
    local header_keys = {}

    header_keys[state.libxl_header] = "libxl.header"
    header_keys[state.image_header] = "libxc.image_header"
    header_keys[state.domain_header] = "libxc.domain_header"

    -- Go on at the anchor that was found at `at`.
    local function resume(direction, at, found, known)
        local position = direction.base + at - 1
        local lost = direction.lost
        local skipped = position - lost.at
        direction.lost, direction.searching = nil, false
        if skipped > 0 then
            lost.whole, lost.stop, lost.upto = position, position, position
        elseif lost.findings then
            -- What begins there is found at once, or by a later segment than the one that shows why it was lost.
            lost.whole, lost.stop, lost.upto = position, position, lost.told
        else
            direction.elements[#direction.elements] = nil
        end
        local element = add(direction, position, nil, "position lost")
        element.resync = { skipped = skipped, evidence = found.evidence }
        gap(direction)
        direction.searched = known
        direction.open = element
        direction.layer = found.layer
        -- Anchors are little endian, whatever went before.
        direction.order_libxl, direction.order_libxc = "<", "<"
        if found.what == "header" then
            enter(direction, found.layer)
        elseif found.what == "permission" then
            direction.over = true
            expect(direction, "tail", 1, "what follows the stream")
        else
            if found.layer == "libxl" then
                direction.outer = "libxl"
                direction.checkpoint = "inside"
            end
            to_records(direction, found.layer)
        end
    end

    function state.lost(direction, buffer, at)
        local found_at, found = anchors.find(buffer, at, direction.cut, direction.index == 0)
        if found then
            resume(direction, found_at, found, direction.base + #buffer)
            return direction.state(direction, buffer, found_at)
        end
        direction.need = 1
        return found_at
    end

    -- The record whose header is held or whose body is being skipped, or nil; `skip` is then what is left of it.
    local function begun(direction)
        if direction.pending then
            return direction.pending
        end
        local record = direction.open
        if record == nil or record.type == nil then
            return nil
        end
        local bytes = directions.take_held(direction)
        record.bytes = bytes
        record.head = sub(bytes, 1, HEAD)
        direction.skip = record.stop - record.at - #bytes
        direction.open = nil
        direction.pending = record
        return record
    end

    -- What is held of a record that a hole cuts is shown behind the hole.
    local function cut(direction, record, behind)
        if record.whole ~= huge then
            return
        end
        local whole = record.at + #record.bytes
        record.cut, record.last = true, direction.frame
        record.shown = behind + 1
        settle(direction, record, whole, record.stop)
        if record.type == PAGE_DATA and record.layer == "libxc" then
            if record.count and #record.bytes >= HEAD then
                local words = sub(record.bytes, HEAD + 1)
                record.pfns = pages.look(sub(words, 1, #words - #words % PFN), record.order)
                local listed, room = PFN * record.count, record.length - (HEAD - HEADER)
                record.first_page = record.at + HEAD + (listed < room and listed or room)
                records.judge_pages(direction, record, words, u32(record.bytes, HEADER + 5, record.order))
                passes.pages(direction, record)
                return
            end
            passes.pages(direction, record)
        end
        records.judge(direction, record)
    end

    -- Whether a hole that ends in front of `behind` lies in a header of known size, which then is passed over.
    local function hole_in_header(direction, behind)
        local key = direction.state == state.configuration and direction.wrapped_key or header_keys[direction.state]
        if key == nil then
            return false
        end
        local at = direction.held > 0 and direction.held_at or direction.front
        local size = direction.state == state.configuration and direction.wrapped or direction.need
        if behind > at + size then
            return false
        end
        local element = take(direction, at, "header")
        local bytes = directions.take_held(direction)
        element.key, element.layer, element.cut, element.phase = key, direction.layer, true, definitions.phases.preamble
        element.order = key == direction.wrapped_key and direction.order_wrapper or direction.order_libxc
        element.bytes, element.last = bytes, direction.frame
        element.shown = behind + 1
        know(direction, element, at)
        settle(direction, element, at + #bytes, at + size)
        direction.skip, direction.front = at + size - behind, behind
        if direction.state == state.configuration then
            if direction.behind_wrapper then
                direction.state = state.ignore
                direction.skip = 2 ^ 62
            else
                enter(direction, "libxl")
            end
        elseif direction.state == state.image_header then
            expect(direction, "domain_header", sizes.domain, "libxc domain header")
        elseif direction.state == state.libxl_header then
            to_records(direction, "libxl")
        else
            to_records(direction, "libxc")
        end
        return true
    end

    function streams.hole(direction, count)
        local behind = direction.front + count
        -- The pages of a record that a hole cuts are not looked into any more.
        direction.watch = nil
        if direction.state == state.ignore or direction.over then
            direction.front = behind
            return
        end
        if direction.state == state.lost then
            -- What is held may hold an anchor that can be told without the bytes that are missing.
            direction.cut = true
            local bytes = directions.take_held(direction)
            if #bytes > 0 then
                direction.base = direction.held_at
                local at, found = anchors.find(bytes, 1, true, direction.index == 0)
                if found then
                    resume(direction, at, found, behind + 1)
                    direction.front = direction.held_at + at - 1
                    directions.feed(direction, { raw = function(_, offset, size)
                        return sub(bytes, at + offset, at + offset + size - 1)
                    end }, 0, #bytes - at + 1)
                    direction.cut = false
                    return streams.hole(direction, behind - direction.front)
                end
            end
            direction.cut = false
            direction.front = behind
            return
        end
        local record = begun(direction)
        if record then
            cut(direction, record, behind)
            record.missing = record.missing + (count < direction.skip and count or direction.skip)
            if count <= direction.skip then
                direction.front = behind
                direction.skip = direction.skip - count
                if direction.skip == 0 then
                    passed(direction)
                end
                return
            end
            direction.front = direction.front + direction.skip
            direction.skip = 0
            finish(direction, record)
        elseif direction.skip > count then
            direction.front, direction.skip = behind, direction.skip - count
            return
        elseif hole_in_header(direction, behind) then
            return
        end
        -- A header that was cut is part of what is lost.
        local at = direction.open and direction.open.at or direction.front
        directions.take_held(direction)
        if direction.layer == "" then
            direction.outer = "?"
        end
        direction.front = behind
        lose(direction, at)
        -- What had come of it was shown as that: only what is behind the hole shows that the place is lost.
        direction.lost.told = behind + 1
    end

    -- A direction that carries a guest's stream. `joined` says that its beginning may have been missed.
    function streams.new(connection, joined)
        local direction = directions.new(connection, "sender")
        direction.index, direction.layer, direction.outer = 0, "", joined and "?" or ""
        direction.order_libxl, direction.order_libxc, direction.checkpoint = "<", "<", "outside"
        direction.libxc = libxc_order.new()
        direction.libxl = libxl_order.new(direction.libxc)
        direction.guest = guest_state.new()
        direction.joined = joined
        direction.on_passed, direction.on_hole = passed, streams.hole
        passes.new(direction)
        expect(direction, "start", 1, "beginning of a stream")
        return direction
    end
end
