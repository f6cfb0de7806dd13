-- What the receiver says: the texts of xl migrate, a status byte, and the records of COLO's back channel, as
-- core/decode/conversation.py reads them.
local conversations = {}
do
    local sub, find, format, huge = string.sub, string.find, string.format, math.huge
    local u32 = numbers.u32
    local HEADER = definitions.record_header
    local take, settle, know, keep = directions.take, directions.settle, states.know, states.keep
    local texts = definitions.receiver_texts
    local state = {}
    -- Bytes that are searched for the next text when something else stands where one must stand.
    local NOISE = definitions.limits.noise
    local LONGEST = 0
    -- Bytes of it that the finding shows.
    local SHOWN = definitions.limits.message_shown
    for _, text in ipairs(texts) do
        LONGEST = #text.bytes > LONGEST and #text.bytes or LONGEST
    end
    local STATE_HEADER, LIST_BEGINS = "\5\0\0\0\4\0\0\0", "\15\0\0\0"
    local CHECKPOINT_STATE = definitions.record_numbers.libxl.CHECKPOINT_STATE
    local DIRTY_LIST = definitions.record_numbers.libxc.CHECKPOINT_DIRTY_PFN_LIST

    local function listen(direction)
        direction.state, direction.need, direction.expect = state.says, 1, "receiver's text"
    end

    local function text(direction, buffer, at, one)
        local size = #one.bytes
        local element = take(direction, direction.base + at - 1, "text")
        element.name, element.layer, element.phase = one.name, "xl", one.phase
        if one.name == "banner" then
            direction.greeted = true
            direction.back_channel:begin()
        end
        know(direction, element, element.at + size)
        settle(direction, element, element.at + size, element.at + size)
        keep(direction, element, buffer, at, size)
        direction.begun = true
        return at + size
    end

    -- How many bytes of the header stand behind the length of a list of dirty pfns: 8 since Xen 4.18, which writes a
    -- pointer that is NULL; what follows the list decides. nil when more bytes are needed to tell.
    local function extra(direction, buffer, at, length)
        local body = at + HEADER
        if sub(buffer, body, body + 7):find("[^\0]") or sub(buffer, body + length, body + length + 7) == STATE_HEADER then
            return 0
        end
        local looked_at = 8 + length + 16
        if #buffer - at + 1 < looked_at then
            direction.need = looked_at
            return nil
        end
        return sub(buffer, body + length + 8, body + length + 15) == STATE_HEADER and 8 or 0
    end

    local function record(direction, buffer, at, layer, length, padded)
        local element = take(direction, direction.base + at - 1, "record")
        if element.type == nil then
            element.layer, element.order, element.phase = layer, "<", definitions.phases.checkpoint
            element.type, element.length = u32(buffer, at, "<"), length
            element.index, element.missing = direction.index, 0
            element.head = sub(buffer, at, at + 15)
            know(direction, element, element.at + HEADER)
        end
        local more = 0
        if layer == "libxc" and length <= directions.KEPT then
            more = extra(direction, buffer, at, length)
            if more == nil then
                element.stop = element.at + HEADER + length
                direction.open = element
                return at
            end
        end
        local size = HEADER + more + padded
        element.stop = element.at + size
        local shown = length > directions.KEPT and HEADER or size
        if #buffer - at + 1 < shown then
            direction.open, direction.need = element, shown
            return at
        end
        element.extra = more > 0 and more or nil
        element.large = shown < size or nil
        local body = not element.large and sub(buffer, at + HEADER + more, at + HEADER - 1 + more + length) or nil
        direction.back_channel:record(element, body)
        if element.large then
            body_rules.large(element)
        else
            body_rules.look(direction, element, body)
        end
        -- What stands behind a list is looked at to tell its header: it may end in front of this segment.
        if element.at + shown <= direction.segment then
            element.shown = direction.base + #buffer
        end
        settle(direction, element, element.at + shown, element.stop)
        keep(direction, element, buffer, at, shown)
        direction.index = direction.index + 1
        direction.skip = size - shown
        return at + shown
    end

    local function noise(direction, buffer, at)
        local lost = take(direction, direction.base + at - 1, "lost")
        lost.layer, lost.known, lost.shown, lost.upto = "xl", lost.at, lost.at + 1, huge
        directions.refuse(direction, lost)
        direction.back_channel:gap()
        direction.lost, direction.searching = lost, true
        direction.state, direction.need, direction.expect = state.noise, 1, "position lost"
        return state.noise(direction, buffer, at)
    end

    function state.says(direction, buffer, at)
        local here, partly = sub(buffer, at, at + LONGEST - 1), false
        for _, one in ipairs(texts) do
            local begins = sub(here, 1, #one.bytes)
            if begins == one.bytes then
                local after = text(direction, buffer, at, one)
                listen(direction)
                if one.name == "report" then
                    direction.state, direction.expect = state.status, "status"
                end
                return after
            elseif not partly and begins == here and sub(one.bytes, 1, #here) == here then
                partly = true
                direction.need = #one.bytes
            end
        end
        if partly then
            return at
        end
        local first = sub(here, 1, 4)
        local list = sub(LIST_BEGINS, 1, #first) == first
        if direction.begun and (list or sub(STATE_HEADER, 1, #first) == first) then
            if #here < HEADER then
                direction.need = HEADER
                return at
            end
            local kind, length = u32(buffer, at, "<"), u32(buffer, at + 4, "<")
            if kind == CHECKPOINT_STATE and length == 4 then
                return record(direction, buffer, at, "libxl", length, 8)
            elseif kind == DIRTY_LIST and length % 8 == 0 and length <= definitions.length_limit then
                return record(direction, buffer, at, "libxc", length, length)
            end
        end
        return noise(direction, buffer, at)
    end

    function state.status(direction, buffer, at)
        local after = text(direction, buffer, at, { name = "status", bytes = "\0", phase = definitions.phases.hand_over })
        direction.reported = true
        listen(direction)
        return after
    end

    function state.ignore(_, buffer)
        return #buffer + 1
    end

    -- Something else stands here: go on with the next text if it is not far.
    function state.noise(direction, buffer, at)
        local first
        for _, one in ipairs(texts) do
            local hit = find(buffer, one.bytes, at, true)
            first = hit and (first == nil or hit < first) and hit or first
        end
        local lost = direction.lost
        if not direction.joined and not lost.findings then
            rules.tell(lost, "message-unrecognised",
                { what = "", data = rules.quoted(sub(buffer, at, (first or #buffer + 1) - 1), SHOWN) })
        end
        if first == nil then
            local again = #buffer - LONGEST + 2
            again = again > at and again or at
            if direction.base + again - 1 - lost.at > NOISE + LONGEST then
                direction.lost, direction.searching, direction.state = nil, false, state.ignore
                return #buffer + 1
            end
            return again
        end
        local position = direction.base + first - 1
        lost.whole, lost.stop, lost.upto = position, position, position
        direction.lost, direction.searching = nil, false
        direction.open = directions.add(direction, position, nil, "position lost")
        direction.searched = direction.base + #buffer
        listen(direction)
        return state.says(direction, buffer, first)
    end

    local function hole(direction, count)
        local behind = direction.front + count
        local open = direction.open
        direction.front = behind
        if direction.skip >= count then
            direction.skip = direction.skip - count
            return
        end
        directions.take_held(direction)
        direction.back_channel:gap()
        direction.skip = 0
        if open then
            -- What had begun is lost.
            open.kind, open.type, open.known = "lost", nil, open.at
            open.whole, open.stop, open.shown, open.upto = behind, behind, open.at + 1, behind
            direction.open = nil
        end
        if not direction.lost and direction.state ~= state.ignore then
            direction.begun = true
            listen(direction)
        end
    end

    -- How many of these bytes are a list of dirty pfns that waits for what follows it, which nothing does; 0: none.
    local function last_list(bytes)
        local size = #bytes >= 8 and sub(bytes, 1, 4) == LIST_BEGINS and 8 + u32(bytes, 5, "<") or huge
        if #bytes < size then
            return 0
        end
        local zeros, follows = sub(bytes, 9, 16) == ("\0"):rep(8), sub(bytes, size + 9, size + 16)
        if zeros and #bytes >= size + 8 and sub(bytes, size + 1, size + 8) ~= STATE_HEADER
            and sub(STATE_HEADER, 1, #follows) == follows then
            return size + 8
        end
        return size
    end

    -- What is unfinished if nothing follows: its name, where it begins, where it would end, and its number if it is a record.
    -- nil: nothing, as between two texts, where a conversation may end.
    function conversations.unfinished(direction)
        local front = direction.front
        if direction.skip > 0 then
            local list = direction.elements[#direction.elements]
            return format("%s (record %d)", rules.what(list), list.index), list.at, list.stop, list.index
        elseif direction.state == state.status then
            return "xl status", front, front + 1
        elseif direction.held == 0 or direction.state ~= state.says or not direction.begun then
            -- A direction that has said nothing whole yet is no conversation.
            return nil
        end
        local at, held = direction.held_at, table.concat(direction.pieces)
        local taken = last_list(held)
        at, held = at + taken, sub(held, taken + 1)
        local first = sub(held, 1, 4)
        if held == "" then
            return nil
        elseif #held >= 8 and first == LIST_BEGINS then
            return "libxc " .. definitions.records.libxc[DIRTY_LIST].name, at, at + 8 + u32(held, 5, "<")
        elseif #held >= 8 and first == sub(STATE_HEADER, 1, 4) then
            return "libxl " .. definitions.records.libxl[CHECKPOINT_STATE].name, at, at + 16
        elseif first == LIST_BEGINS then
            return "libxc record header", at, at + 8
        elseif first ~= sub(STATE_HEADER, 1, 4) then
            -- Two texts begin with the same word; one of them comes after the status only.
            local from, to, step = 1, #texts, 1
            if direction.reported then
                from, to, step = #texts, 1, -1
            end
            for number = from, to, step do
                if sub(texts[number].bytes, 1, #held) == held then
                    return "xl " .. texts[number].name, at, at + #texts[number].bytes
                end
            end
        end
        if sub(STATE_HEADER, 1, #first) == first or sub(LIST_BEGINS, 1, #first) == first then
            return "libxl record header", at, at + 8
        end
        -- What stands behind the list is nothing that is understood.
        return nil
    end

    -- A direction that answers a guest's stream. `joined` says that its beginning may have been missed.
    function conversations.new(connection, joined)
        local direction = directions.new(connection, "receiver")
        direction.index, direction.joined, direction.begun = 0, joined, joined
        direction.back_channel = back_channel.new()
        direction.on_hole = hole
        listen(direction)
        return direction
    end
end
