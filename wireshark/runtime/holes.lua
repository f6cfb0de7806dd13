-- What may be done about bytes that did not come. By default TCP hands on no segment that came late or again, so that a hole in
-- front of the dissector need not be one in the capture.
local holes = {}
do
    local PREFERENCE = "tcp.reassemble_out_of_order"
    local HINT = "a later frame may bring these bytes: TCP hands on segments that came out of order only with its preference "
        .. PREFERENCE

    -- A text, or nil where nothing can be done.
    function holes.hint()
        local known, on = pcall(get_preference, PREFERENCE)
        return known and on == false and HINT or nil
    end
end
