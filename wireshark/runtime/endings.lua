-- How a direction ended, which is known only when the capture is over: core/check/framing.py and core/decode/stream.py.
local endings = {}
do
    local format, decimal = string.format, numbers.decimal
    local state = states.of

    -- What begins at a position and is not all there: its name, that position, and where it would end if that is known.
    local function unfinished(direction)
        local layer = direction.layer
        local begins = direction.held > 0 and direction.held_at or direction.front
        local open = direction.pending or direction.open
        if open and open.type then
            return format("%s (record %d)", rules.what(open), open.index), open.at, open.stop
        elseif direction.state == state.lost then
            return "a record that looks like one, after the position was lost", direction.lost.at
        elseif direction.state == state.configuration then
            local name = layer == "libvirt" and "domain XML" or "configuration"
            return format("%s %s", layer, name), begins, begins + direction.wrapped
        elseif direction.expect ~= "record header" then
            return direction.expect, begins, begins + direction.need
        end
        return direction.held > 0 and layer .. " record header" or "a record header", begins,
            direction.held > 0 and begins + 8 or nil
    end

    -- The rule that the end of a guest's stream breaks, and its message; nil where the stream came to its END.
    function endings.of(direction)
        if direction.role ~= "sender" or direction.over or direction.state == state.ignore or direction.state == state.start then
            return nil
        end
        local lost = direction.lost
        if lost and not lost.findings and not direction.joined then
            return "capture-ended", rules.message("capture-ended", {})
        end
        local around = direction.libxl.seen and direction.libxl or direction.libxc
        if around.checkpoints > 0 then
            return "checkpointed-stream-ended",
                rules.message("checkpointed-stream-ended", { count = around.checkpoints, last = around.last_checkpoint })
        end
        local what, at, stop = unfinished(direction)
        local problem
        if stop == nil then
            problem = format("the %s stream ends at offset %s without an END: %s should follow",
                direction.layer == "" and "libxc" or direction.layer, decimal(at), what)
        else
            local there, missing = direction.front - at, stop - direction.front
            problem = format("the stream ends inside %s that begins at offset %s: %s of it %s there, %s %s missing", what,
                decimal(at), numbers.count(there, "byte"), numbers.be(there), decimal(missing), numbers.be(missing))
        end
        return "stream-truncated", rules.message("stream-truncated", { problem = problem })
    end
end
