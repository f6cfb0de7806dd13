-- How a direction ends if nothing follows: core/check/framing.py, and the ends of core/decode/stream.py and conversation.py.
local endings = {}
do
    local format, decimal = string.format, numbers.decimal
    local state, u32, PAGE_DATA = states.of, numbers.u32, definitions.PAGE_DATA

    -- What begins at a position and is not all there: its name, that position, where it would end if that is known, and the
    -- record's number if it is one.
    local function unfinished(direction)
        local layer = direction.layer
        local begins = direction.held > 0 and direction.held_at or direction.front
        local open = direction.pending or direction.open
        if open and open.type then
            return format("%s (record %d)", rules.what(open), open.index), open.at, open.stop, open.index
        elseif direction.state == state.lost then
            return "a record that looks like one, after the position was lost", direction.lost.at
        elseif direction.state == state.configuration then
            local name = layer == "libvirt" and "domain XML" or "configuration"
            return format("%s %s", layer, name), begins, begins + direction.wrapped
        elseif direction.expect ~= "record header" then
            return direction.expect, begins, begins + direction.need
        end
        return direction.held > 0 and layer .. " record header" or "a record header", begins,
            direction.held > 0 and begins + definitions.record_header or nil
    end

    -- The same of a PAGE_DATA that was cut off in what was searched after the place was lost. While more might come it was
    -- not believed to be one.
    local function cut_page_data(direction)
        if direction.state ~= state.lost or direction.held == 0 then
            return nil
        end
        local bytes = table.concat(direction.pieces)
        local index, found = anchors.find(bytes, 1, true, direction.index == 0)
        if found == nil or found.what ~= "record" or found.layer ~= "libxc" or u32(bytes, index, "<") ~= PAGE_DATA then
            return nil
        end
        local at, length = direction.held_at + index - 1, u32(bytes, index + 4, "<")
        return format("%s (record %d)", rules.name("libxc", PAGE_DATA), direction.index), at, at + 8 + length + -length % 8,
            direction.index
    end

    -- The finding's words for what was cut off.
    local function problem(direction, what, at, stop)
        if stop == nil then
            return format("the %s stream ends at offset %s without an END: %s should follow",
                direction.layer == "" and "libxc" or direction.layer, decimal(at), what)
        end
        local there, missing = direction.front - at, stop - direction.front
        return format("the stream ends inside %s that begins at offset %s: %s of it %s there, %s %s missing", what,
            decimal(at), numbers.count(there, "byte"), numbers.be(there), decimal(missing), numbers.be(missing))
    end

    -- The rule that a direction breaks if nothing follows, what fills its message, and the number of the record that was cut
    -- off; nil where it may end like that.
    function endings.of(direction)
        if direction.role == "receiver" then
            local what, at, stop, record = conversations.unfinished(direction)
            if what == nil then
                return nil
            end
            return "conversation-ended", { problem = problem(direction, what, at, stop) }, record
        end
        if direction.over or direction.state == state.ignore or direction.state == state.start then
            return nil
        end
        local lost = direction.lost
        local what, at, stop, record = cut_page_data(direction)
        if what == nil then
            if lost and not lost.findings and not direction.joined then
                return "capture-ended", {}
            end
            what, at, stop, record = unfinished(direction)
        end
        local around = direction.libxl.seen and direction.libxl or direction.libxc
        if around.checkpoints > 0 then
            return "checkpointed-stream-ended", { count = around.checkpoints, last = around.last_checkpoint }, record
        end
        return "stream-truncated", { problem = problem(direction, what, at, stop) }, record
    end
end
