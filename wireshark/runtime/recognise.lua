-- What a direction is by its first bytes: the magic numbers of core/decode/recognise.py.
local recognise = {}
do
    local sub = string.sub
    local magics = definitions.magics

    -- First bytes of everything that is known, for a test that costs next to nothing.
    recognise.first = {}
    for _, magic in ipairs(magics) do
        recognise.first[sub(magic.bytes, 1, 1)] = true
    end

    -- The layer that begins with these bytes; nil when more are needed to tell; "" when none does.
    function recognise.layer(prefix)
        local more = false
        for _, magic in ipairs(magics) do
            if sub(prefix, 1, #magic.bytes) == magic.bytes then
                return magic.layer
            elseif #prefix < #magic.bytes and sub(magic.bytes, 1, #prefix) == prefix then
                more = true
            end
        end
        if more then
            return nil
        end
        return ""
    end

    -- Enough of a magic number to claim a connection although the rest is in the next segment.
    function recognise.enough(prefix)
        return #prefix >= (sub(prefix, 1, 1) == "\255" and 9 or definitions.limits.least_cut)
    end
end
