-- The FIN or RST that a direction ends with: if something is unfinished then, that segment shows it.
--
-- TCP's dissector hands on no segment without payload, and most of these have none. A post-dissector is called for every
-- frame there is, which costs a third of what tshark takes for it; so it is registered only where somebody looks at the tree
-- of a migration, or may do so later, and other captures never meet it. Segments in a list of one line each show no findings.
local closing = {}
do
    local get_sequence, get_stream = segments.get_sequence, segments.get_stream
    local innermost, side_of = segments.innermost, segments.side_of
    local RST_WINDOW = definitions.closing.rst_window
    -- Bytes of a TCP header up to its flags; the flags, counted from the sequence number.
    local HEADER, FLAGS = 14, 9
    local watcher = Proto("xenmig_end", "How Xen migration streams end")

    -- Frame -> what is found to be unfinished there.
    local found = {}
    -- The direction of which the dissector has looked at a segment in that frame, and where the segment ends.
    local noted, noted_direction, noted_stop
    -- Where in its frame the last TCP header of a migration began, and the ports that such headers begin with.
    local header, usual = 0, {}

    closing.watching = false

    -- In that frame a direction ends. That is decided once, when all that came before the frame was looked at and nothing that
    -- came behind it, so that the frame looks the same whenever it is looked at.
    local function finish(direction, number, flag)
        if direction == nil or direction.finished or direction.frame > number then
            return
        end
        direction.finished = true
        local rule, values, record = endings.of(direction)
        if rule then
            local here = found[number] or {}
            found[number] = here
            here[#here + 1] = {
                direction = direction, position = direction.front, flag = flag, rule = rule, values = values, record = record,
            }
        end
    end

    -- A FIN with sequence number `seq`, or of the segment that was noted.
    local function fin(direction, number, pinfo, seq)
        if direction == nil or direction.finished or pinfo.caplen < pinfo.len then
            -- Nothing of the direction was seen, or less of this segment than was sent.
            return
        end
        local here = noted == number and noted_direction == direction
        local place = here and noted_stop or connections.position(direction, seq, number)
        if place == direction.front then
            finish(direction, number, "FIN")
        elseif place > direction.front then
            -- Bytes in front of it are late, or are none of the capture's.
            direction.fin = direction.fin or place
        end
    end

    local function rst(connection, side, number, seq)
        local direction = connection.directions[side]
        if direction then
            local ahead = connections.position(direction, seq, number) - direction.front
            if ahead > RST_WINDOW or ahead < -RST_WINDOW then
                return
            end
        end
        finish(direction, number, "RST")
        finish(connection.directions[1 - side], number, "RST")
    end

    -- Look at a TCP segment: whether it ends anything.
    local function look(number, tvb, pinfo)
        local sequence, inner = get_sequence()
        if sequence == nil then
            return
        end
        sequence = inner and innermost(get_sequence) or sequence
        local at, source = sequence.offset, sequence.source
        local flags = source:len() > at + FLAGS and source(at + FLAGS, 1):uint() or 0
        local ends, resets = flags % 2 == 1, flags % 8 >= 4
        if ends or resets then
            local connection = connections.find(innermost(get_stream).value)
            if connection then
                local side = side_of(pinfo)
                if resets then
                    rst(connection, side, number, sequence.value)
                else
                    fin(connection.directions[side], number, pinfo, sequence.value)
                end
            end
        elseif noted == number and at >= 4 and tvb:len() > at + FLAGS then
            header = at - 4
            local here, there = tvb:raw(header, 2), tvb:raw(header + 2, 2)
            usual[here .. there], usual[there .. here] = true, true
        end
    end

    -- Whether a frame is a segment of a migration that ends nothing, which nearly all are: its TCP header stands where the
    -- last one did, has the ports of a migration, and neither FIN nor RST. To ask for fields takes longer.
    local function goes_on(tvb)
        if tvb:len() < header + HEADER then
            return false
        end
        local bytes = tvb:raw(header, HEADER)
        local flags = bytes:byte(HEADER)
        return flags % 2 == 0 and flags % 8 < 4 and usual[bytes:sub(1, 4)]
    end

    local function show_one(one, tvb, tree)
        local item = tree:add(protocol, tvb(0, 0))
        fields.u32(item, "migration", one.direction.connection.id)
        fields.u64(item, "position", one.position)
        fields.text(item, "role", one.direction.role)
        local words = ("%s: nothing follows from the %s"):format(one.flag, one.direction.role)
        item:append_text(": " .. words)
        local ending = item:add(tvb(0, 0), words)
        fields.u32(ending, "record", one.record)
        findings.add(ending, one.rule, one.values)
    end

    -- Show what was found in the frame. Expert information is that of the dissector that is called: the protocol's calls this.
    function closing.show(number, tvb, tree)
        for _, one in ipairs(found[number] or {}) do
            show_one(one, tvb, tree)
        end
    end

    function watcher.dissector(tvb, pinfo, tree)
        local number = pinfo.number
        if not goes_on(tvb) then
            look(number, tvb, pinfo)
        end
        if noted == number and noted_direction.fin and noted_direction.front >= noted_direction.fin then
            finish(noted_direction, number, "FIN")
        end
        if found[number] and tree:referenced(segments.dissector()) then
            segments.dissector():call(tvb(0, 0):tvb(), pinfo, tree)
        end
        -- It has no part in the frame that the list of the frame's protocols should name.
        return 0
    end

    -- From now on, look at every frame.
    function closing.watch()
        if not closing.watching then
            closing.watching = true
            register_postdissector(watcher)
        end
    end

    -- Note what the dissector has taken in this frame, and watch from there on.
    function closing.note(direction, number, stop)
        noted, noted_direction, noted_stop = number, direction, stop
        closing.watch()
    end

    -- Forget everything: another file, or the same one from the start.
    function closing.reset()
        found, noted = {}, nil
        header, usual = 0, {}
    end
end
