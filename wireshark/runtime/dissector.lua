-- What Wireshark calls: the dissector, the heuristic, preferences, the table for `-z` and the Tools menu.
do
    local arguments = { ... }
    local get_sequence, get_stream = segments.get_sequence, segments.get_stream
    local innermost, side_of = segments.innermost, segments.side_of
    local show = frames.show
    -- Beginnings of streams that are too short to claim their connection: tcp.stream and side -> sequence number, bytes.
    local pending, pendings = {}, 0
    local self_dissector
    -- Frames in a pass that makes no fields, as the first of two without a filter: each one's number -> that of the one before.
    local before, passed = {}, nil
    -- The last frame that was looked at: all before it were.
    local looked = 0
    local NOT_YET = "earlier frames of the migration were not looked at yet"

    if set_plugin_info then
        set_plugin_info({
            version = definitions.version, description = "Xen migration streams", author = "The xenmig authors",
        })
    end
    -- Wireshark makes some objects for every packet, and they are freed only after two cycles. Lua 5.4's generational mode
    -- looks at those alone; 5.2's lets them pile up and 5.3 has none, so there the cycles begin earlier. So they do behind a
    -- pass that notes every frame: the generational mode collects late where much is kept.
    local function collect_in_steps()
        pcall(collectgarbage, "incremental")
        collectgarbage("setpause", 110)
    end
    if _VERSION == "Lua 5.2" or not pcall(collectgarbage, "generational") then
        collect_in_steps()
    end

    protocol.prefs.ports = Pref.range("TCP ports", "",
        "Ports whose connections are migrations, beside those that are recognised by their first bytes", 65535)
    protocol.prefs.pfns = Pref.bool("List every pfn", false, "Show each pfn of PAGE_DATA with its type, not only their counts")
    protocol.prefs.deep = Pref.bool("Look into page tables", false,
        "Hold the page tables of PV guests to the rules, as xenmig verify --deep does")
    protocol.prefs.summary = Pref.bool("Print a summary (tshark)", false,
        "Print the records and iterations of every migration at the end, as tshark -z does")

    -- Sequence number of the first byte of `tvb`. A buffer that TCP put together stands where this segment does.
    local function sequence_of(sequence, tvb)
        -- tcp.hdr_len is the upper half of the byte 12 behind the header's beginning, in units of 4 bytes. A field that is
        -- asked for anywhere is made for every packet, so this one is read from the frame when it is needed.
        local header = sequence.source(sequence.offset + 8, 1):uint()
        local payload = sequence.offset - 4 + (header - header % 16) / 4
        local ahead = tvb:offset() - payload
        if ahead > 0 then
            return (sequence.value + ahead) % 4294967296
        end
        return sequence.value
    end

    -- The direction of a segment whose connection has not shown any bytes of it yet.
    local function begin(connection, side, tvb, pinfo, sequence)
        local key = connection.stream * 2 + side
        local held = pending[key]
        local prefix = tvb:raw(0, math.min(tvb:len(), 64))
        if held and (held.sequence + #held.bytes) % 4294967296 == sequence then
            pending[key], pendings = nil, pendings - 1
            local direction = connections.begin(connection, side, held.bytes .. prefix, held.sequence, held.frame)
            directions.extend(direction, 0, directions.source(held.bytes), 0, #held.bytes, held.frame)
            return direction
        end
        return connections.begin(connection, side, prefix, sequence, pinfo.number)
    end

    -- Where the next segment of a direction is expected, by its two ports. Most segments are, and for those tcp.stream need
    -- not be asked for, which takes as long as everything else together.
    local cursors = {}

    local function show_all(direction, connection, position, tvb, tree, size)
        local item = tree:add(protocol, tvb(0, size))
        fields.u32(item, "migration", connection.id)
        fields.u64(item, "position", position)
        fields.text(item, "role", direction.role)
        local words = show(direction, position, size, tvb, item)
        item:append_text(": " .. words)
        return words
    end

    -- A program that looks at frames in any order after such a pass, as sharkd does, may ask for one of which nothing is known.
    local function show_nothing(tvb, pinfo, tree)
        local item = tree:add(protocol, tvb())
        item:append_text(": " .. NOT_YET)
        fields.text(item, "hint", "apply a display filter, such as xenmig: then all frames are looked at in order")
        pinfo.cols.protocol = "XenMig"
        pinfo.cols.info = "[" .. NOT_YET .. "]"
        return tvb:len()
    end

    -- The direction and the position of a segment that was not expected; nil when it is none of this protocol's.
    local function locate(tvb, pinfo, sequence, key, number)
        if gui_enabled() or pinfo.visited then
            -- Whoever lists frames now may look at one that shows how a stream ends before any other.
            closing.watch()
        end
        local connection = connections.get(innermost(get_stream).value)
        if connection.claimed and number < connection.claimed then
            -- Nobody could tell yet what this is when it was first looked at.
            return nil
        end
        local first = sequence_of(sequence, tvb)
        local side = side_of(pinfo)
        local direction = connection.directions[side] or begin(connection, side, tvb, pinfo, first)
        local cursor = cursors[key]
        if cursor == nil then
            cursor = {}
            cursors[key] = cursor
        elseif cursor.direction ~= direction then
            -- Two connections with the same ports at different hosts: the sequence number alone might be either's.
            cursor.ambiguous = true
        end
        cursor.direction, cursor.connection, cursor.noted = direction, connection, 0
        return direction, connections.position(direction, first, number), cursor
    end

    function protocol.dissector(tvb, pinfo, tree)
        local size = tvb:len()
        local sequence, inner = get_sequence()
        local number = pinfo.number
        if sequence == nil or size == 0 then
            -- A segment without payload, or the first of two passes without a filter: nothing is known about the segment then,
            -- nor will be shown of it.
            if size == 0 then
                closing.show(number, tvb, tree)
            end
            if sequence == nil and number ~= passed then
                if passed == nil then
                    collect_in_steps()
                end
                before[number], passed = passed, number
            end
            return size
        end
        if number > looked then
            local earlier = before[number]
            if earlier and earlier > looked then
                return show_nothing(tvb, pinfo, tree)
            end
            looked = number
        end
        sequence = inner and innermost(get_sequence) or sequence
        local starts = sequence.value
        local key = pinfo.src_port * 65536 + pinfo.dst_port
        local cursor = cursors[key]
        local direction, position
        if cursor and cursor.sequence == starts and not cursor.ambiguous then
            direction, position = cursor.direction, cursor.position
            cursor.sequence = (starts + size) % 4294967296
            if position > cursor.noted then
                connections.position(direction, starts, number)
                cursor.noted = position + connections.NOTED
            end
        else
            direction, position, cursor = locate(tvb, pinfo, sequence, key, number)
            if direction == nil then
                return 0
            end
            cursor.sequence = (direction.marks[1].seq + position + size) % 4294967296
        end
        cursor.position = position + size
        if number >= direction.seen and position - direction.front < connections.WINDOW then
            direction.seen = number
            directions.extend(direction, position, tvb, 0, size, number)
        end
        self_dissector = self_dissector or segments.dissector()
        local shown = tree:referenced(self_dissector)
        if shown or closing.watching then
            closing.note(direction, number, position + size)
        end
        local words
        if shown then
            words = show_all(direction, cursor.connection, position, tvb, tree, size)
        else
            words = frames.brief(direction, position, size) or show(direction, position, size, tvb)
        end
        local columns = pinfo.cols
        columns.protocol = "XenMig"
        columns.info = words
        return size
    end

    local function heuristic(tvb, pinfo, tree)
        if tvb:len() == 0 then
            return false
        end
        local first = tvb:raw(0, 1)
        if not recognise.first[first] and pendings == 0 then
            return false
        end
        local prefix = tvb:raw(0, math.min(tvb:len(), 64))
        local layer = recognise.layer(prefix)
        local sequence = pendings > 0 and innermost(get_sequence)
        if sequence then
            local held = pending[innermost(get_stream).value * 2 + side_of(pinfo)]
            if held and pinfo.number > held.frame
                and (held.sequence + #held.bytes) % 4294967296 == sequence_of(sequence, tvb) then
                prefix = held.bytes .. prefix
                layer = recognise.layer(prefix)
            end
        end
        if layer == "" then
            return false
        elseif layer == nil and not recognise.enough(prefix) then
            -- Remember it: the next segment may tell.
            sequence = innermost(get_sequence)
            if sequence then
                local key = innermost(get_stream).value * 2 + side_of(pinfo)
                if pending[key] == nil then
                    pendings = pendings + 1
                    pending[key] = { sequence = sequence_of(sequence, tvb), bytes = prefix, frame = pinfo.number }
                end
            end
            return false
        end
        pinfo.conversation = protocol
        sequence = innermost(get_sequence)
        if sequence then
            local connection = connections.get(innermost(get_stream).value)
            if connection.claimed and pinfo.number < connection.claimed then
                return false
            end
            connection.claimed = connection.claimed or pinfo.number
        end
        protocol.dissector(tvb, pinfo, tree)
        return true
    end

    function protocol.init()
        connections.reset()
        closing.reset()
        pending, pendings = {}, 0
        cursors = {}
        before, passed, looked = {}, nil, 0
        -- Here, so that it is the same for all of a capture.
        page_tables.wanted = protocol.prefs.deep
    end

    local claimed = ""
    local tap

    local function print_summary()
        if tap == nil then
            tap = Listener.new("frame")
            function tap.packet() end
            function tap.draw()
                if protocol.prefs.summary or arguments[1] == "tap" then
                    print(summary.text())
                end
            end
            function tap.reset() end
        end
    end

    function protocol.prefs_changed()
        elements.show_pfns = protocol.prefs.pfns
        local ports = protocol.prefs.ports
        if ports ~= claimed then
            local tcp = DissectorTable.get("tcp.port")
            if claimed ~= "" then
                tcp:remove(claimed, protocol)
            end
            if ports ~= "" then
                tcp:add(ports, protocol)
            end
            claimed = ports
        end
        if protocol.prefs.summary then
            print_summary()
        end
    end

    DissectorTable.get("tcp.port"):add_for_decode_as(protocol)
    protocol:register_heuristic("tcp", heuristic)
    if arguments[1] == "tap" then
        print_summary()
    end

    if gui_enabled() then
        register_menu("Xen/Migration records and iterations", function()
            local window = TextWindow.new("Xen migrations")
            window:set(summary.text())
        end, MENU_TOOLS_UNSORTED)
    end
end
