-- Which segment of which connection is looked at: what TCP's dissector says of it.
local segments = {}
do
    local self_dissector

    segments.get_sequence, segments.get_stream = Field.new("tcp.seq_raw"), Field.new("tcp.stream")

    -- The last of the values that a field has in this frame: that of the innermost TCP.
    local function last(...)
        return (select(select("#", ...), ...))
    end

    function segments.innermost(get)
        local one, other = get()
        if other == nil then
            return one
        end
        return last(get())
    end

    -- Which of the two directions of its connection a segment belongs to: 0 or 1.
    function segments.side_of(pinfo)
        local source, destination = pinfo.src_port, pinfo.dst_port
        if source ~= destination then
            return source < destination and 0 or 1
        end
        return tostring(pinfo.src) < tostring(pinfo.dst) and 0 or 1
    end

    -- The dissector of this protocol, which is not there yet while this file is loaded.
    function segments.dissector()
        self_dissector = self_dissector or Dissector.get("xenmig")
        return self_dissector
    end
end
