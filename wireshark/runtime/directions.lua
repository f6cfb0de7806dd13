-- One direction of a connection: its elements by position, and bytes in, in the order in which they stand in the stream.
--
-- An element is a header, a record, a text of the conversation or a run of bytes that is not understood. It is a table:
--   at, stop      positions of its first byte and of the byte behind it (padding included; math.huge: not known yet)
--   kind          "header", "record", "text", "lost", "trailing" or "unrecognised"
--   known         bytes up to this position were needed to tell what it is: what ends before must not show it
--   expect        what to call it until then
--   whole         its parts that are shown end here (for PAGE_DATA the pfns, not the pages)
--   shown         it is shown whole by the segment that holds the byte in front of this position
--   bytes         what is shown, if it came in more than one piece, as a string
--   frame, last   frames of its first byte and of the byte in front of `shown`
--   told          of what is not understood: the segment that holds the byte in front of this position shows that
--   instead       what to call it there
--   findings      the rules that it breaks: see rules.tell
--   row           of a PAGE_DATA whose pages all came with data and follow one another: the first pfn
--   counts        how many of its findings there were of each rule, kept or not
--   pass          of a PAGE_DATA: the pass over memory that it belongs to
-- All of that follows from positions alone, so that a frame looks the same whenever it is looked at.
local directions = {}
do
    local concat, huge = table.concat, math.huge

    -- Bodies up to this many bytes are shown; larger ones stay what they are.
    directions.KEPT = definitions.limits.kept

    function directions.new(connection, role)
        return {
            connection = connection,
            role = role,
            front = 0,          -- position of the next byte that was not looked at
            skip = 0,           -- bytes that need not be looked at
            need = 1,           -- bytes that let the state go on
            pieces = {},        -- bytes that are held until there are enough
            held = 0,
            held_at = 0,
            elements = {},
            watch = nil,        -- what looks at the bytes that are skipped: see page_contents
            open = nil,         -- the element that the held bytes or the skipped bytes belong to
            -- What the column said last of a segment with pages only: see frames.brief.
            brief = { from = huge, stop = 0, page = 0, pages = 0 },
            holes = {},         -- position behind a hole -> its size
            frame = 0,          -- the frame that is being looked at, and where it begins
            segment = 0,
            searched = nil,     -- position of the byte that ended the last search for the place
            state = nil,        -- function(direction, buffer, at): index of the first byte that it did not use
            on_passed = nil,    -- called when `skip` has come down to 0
            on_hole = nil,      -- function(direction, count)
        }
    end

    -- A new element at `at`, behind all others.
    function directions.add(direction, at, kind, expect)
        local elements = direction.elements
        local element = {
            at = at, stop = huge, kind = kind, known = huge, expect = expect, whole = huge, shown = huge,
            frame = direction.frame, upto = huge,
        }
        elements[#elements + 1] = element
        return element
    end

    -- The element that begins at `at`: the one that is open, or a new one.
    function directions.take(direction, at, kind)
        local element = direction.open
        if element == nil then
            return directions.add(direction, at, kind)
        end
        direction.open = nil
        element.kind = kind
        return element
    end

    -- The segment that is looked at shows that an element is nothing that is understood: it also tells why.
    function directions.refuse(direction, element)
        element.told = (element.at > direction.segment and element.at or direction.segment) + 1
    end

    -- Settle where an element ends.
    function directions.settle(direction, element, whole, stop)
        element.whole, element.stop = whole, stop
        if element.shown == huge then
            element.shown = whole
        end
        -- What was searched for is shown where the search ended, which may be behind it.
        local searched = direction.searched
        if searched and searched > element.shown then
            element.shown = searched
        end
        element.upto = element.shown > stop and element.shown or stop
    end

    local function hold(direction, bytes)
        if direction.held == 0 then
            direction.held_at = direction.front
        end
        direction.pieces[#direction.pieces + 1] = bytes
        direction.held = direction.held + #bytes
        direction.front = direction.front + #bytes
    end

    -- The bytes that are held; nothing is held then.
    function directions.take_held(direction)
        local bytes = concat(direction.pieces)
        direction.pieces, direction.held = {}, 0
        return bytes
    end

    local function pass(direction, count)
        direction.front = direction.front + count
        direction.skip = direction.skip - count
        if direction.skip == 0 and direction.on_passed then
            direction.on_passed(direction)
        end
    end

    -- A string of bytes as a source of them: see feed.
    function directions.source(bytes)
        return { raw = function(_, offset, count)
            return bytes:sub(offset + 1, offset + count)
        end }
    end

    -- Look at `bytes`, which stand at `front`. Returns how many of them were used: all, or as many as were needed.
    local function consume(direction, bytes)
        local taken = #bytes
        if direction.held > 0 then
            local wanted = direction.need - direction.held
            if wanted > taken then
                hold(direction, bytes)
                return taken
            end
            -- Where the next unit begins is not known in a direction that lost its place: then all is looked at.
            if not direction.searching then
                taken = wanted > 0 and wanted or 1
            end
            direction.front = direction.held_at
            bytes = directions.take_held(direction) .. bytes:sub(1, taken)
        end
        local base = direction.front
        local at, size = 1, #bytes
        direction.base = base
        while at <= size do
            if direction.skip > 0 then
                local left = size - at + 1
                local count = direction.skip < left and direction.skip or left
                direction.front = base + at - 1
                if direction.watch then
                    direction.watch:see(direction.front, directions.source(bytes), at - 1, count)
                end
                pass(direction, count)
                at = at + count
            else
                direction.front = base + at - 1
                local after = direction.state(direction, bytes, at)
                direction.front = base + after - 1
                if after == at and direction.skip == 0 then
                    break
                end
                at = after
            end
        end
        if at <= size then
            hold(direction, at == 1 and bytes or bytes:sub(at))
            if direction.need <= direction.held then
                direction.need = direction.held + 1
            end
            if not direction.open and not direction.searching then
                direction.open = directions.add(direction, direction.held_at, nil, direction.expect)
            end
        end
        return taken
    end

    -- Look at `count` bytes from index `offset` (from 0) of `source`, a Tvb or whatever has raw(offset, count), as those
    -- that follow what was looked at before.
    function directions.feed(direction, source, offset, count)
        while count > 0 do
            if direction.skip > 0 then
                local passed = direction.skip < count and direction.skip or count
                if direction.watch then
                    direction.watch:see(direction.front, source, offset, passed)
                end
                pass(direction, passed)
                offset, count = offset + passed, count - passed
            else
                local used = consume(direction, source:raw(offset, count))
                offset, count = offset + used, count - used
            end
        end
    end

    -- `count` bytes are missing before what comes next.
    function directions.hole(direction, count)
        direction.holes[direction.front + count] = count
        direction.on_hole(direction, count)
    end

    -- Take what a segment of `count` bytes at `position` brings that is new. `source` has its bytes from `offset` on.
    function directions.extend(direction, position, source, offset, count, frame)
        local front = direction.front
        if position + count <= front then
            return
        end
        direction.frame, direction.segment = frame, position
        if position > front then
            directions.hole(direction, position - front)
        elseif position < front then
            offset, count = offset + front - position, count - (front - position)
        end
        if direction.skip > count then
            if direction.watch then
                direction.watch:see(direction.front, source, offset, count)
            end
            direction.skip = direction.skip - count
            direction.front = direction.front + count
            return
        end
        directions.feed(direction, source, offset, count)
    end

    -- Index of the first element that has something to show at or behind `position`.
    function directions.first(direction, position)
        local elements = direction.elements
        local low, high = 1, #elements + 1
        local near = direction.near
        if near and elements[near] and elements[near].upto > position
            and (near == 1 or elements[near - 1].upto <= position) then
            return near
        end
        while low < high do
            local middle = low + high
            middle = (middle - middle % 2) / 2
            if elements[middle].upto > position then
                high = middle
            else
                low = middle + 1
            end
        end
        direction.near = low
        return low
    end
end
