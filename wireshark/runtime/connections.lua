-- Connections by number of their TCP stream, their two directions, and where in its direction a segment stands.
local connections = {}
do
    local WRAP = 4294967296
    -- How far the position moves before another place is noted from which sequence numbers are counted.
    local STEP = 536870912
    -- How far it may move without anybody looking whether it is time for that.
    connections.NOTED = STEP / 4
    -- No TCP window is larger; what is further ahead has a damaged sequence number.
    connections.WINDOW = 1073741824

    local known, count = {}, 0

    -- Forget everything: another file, or the same one from the start.
    function connections.reset()
        known, count = {}, 0
        connections.list = {}
    end
    connections.reset()

    function connections.find(stream)
        return known[stream]
    end

    -- The connection of a TCP stream; made when it is new. `id` counts them from 1 in the order of their first segments.
    function connections.get(stream)
        local connection = known[stream]
        if connection == nil then
            count = count + 1
            connection = { id = count, stream = stream, directions = {} }
            known[stream] = connection
            connections.list[count] = connection
        end
        return connection
    end

    -- Make direction `side` (0 or 1) of a connection by its first bytes; the first of them has sequence number `seq`.
    function connections.begin(connection, side, prefix, seq, frame)
        local layer = recognise.layer(prefix)
        local other = connection.directions[1 - side]
        local first = prefix:sub(1, 1)
        local direction
        if layer == "receiver" or layer == nil and first == "x" then
            direction = conversations.new(connection, false)
        elseif layer ~= "" then
            direction = streams.new(connection, false)
        elseif other and other.role == "sender" then
            direction = conversations.new(connection, not other.joined and false or true)
        else
            direction = streams.new(connection, true)
        end
        direction.marks = { { frame = frame, seq = seq, at = 0 } }
        direction.seen = 0
        connection.directions[side] = direction
        return direction
    end

    -- The position of the byte with sequence number `seq`, seen in that frame.
    function connections.position(direction, seq, frame)
        local marks = direction.marks
        local number = #marks
        while number > 1 and marks[number].frame > frame do
            number = number - 1
        end
        local mark = marks[number]
        local ahead = (seq - mark.seq) % WRAP
        if ahead >= 2147483648 then
            ahead = ahead - WRAP
        end
        local position = mark.at + ahead
        if position - mark.at > STEP and number == #marks and frame > mark.frame then
            marks[number + 1] = { frame = frame, seq = seq, at = position }
        end
        return position
    end
end
