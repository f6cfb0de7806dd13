-- How large an XSAVE area is, and which components a processor has together: core/definitions/xsave_area.py and
-- core/check/cpu_state.py. Sets of components are two halves of 32 bits, as XCR0 has them.
local xsave_area = {}
do
    local facts = definitions.xsave_area
    local band = numbers.band

    -- Whether a processor would take it as XCR0; all that is asked of is in the lower half.
    function xsave_area.valid(lo)
        local function has(mask)
            return band(lo, mask) > 0
        end
        local avx512, tile = band(lo, facts.avx512), band(lo, facts.tile)
        return has(facts.x87)
            and (not has(facts.ymm) or has(facts.sse))
            and has(facts.bndregs) == has(facts.bndcsr)
            and (avx512 == 0 or avx512 == facts.avx512 and has(facts.ymm))
            and (tile == 0 or tile == facts.tile)
    end

    -- The components in the set that have a place of their own, in ascending order.
    function xsave_area.components(lo, hi)
        local found = {}
        for bit = facts.components.first, facts.components.last do
            if numbers.bits(lo, hi, bit, 1) == 1 then
                found[#found + 1] = bit
            end
        end
        return found
    end

    -- Bytes that the area takes; nil when it has a component that nobody placed. `places`: component -> {offset, size}.
    function xsave_area.size(lo, hi, places)
        if lo + hi == 0 then
            return 0
        end
        local size = facts.least
        for _, bit in ipairs(xsave_area.components(lo, hi)) do
            local place = places[bit]
            if place == nil then
                return nil
            end
            size = math.max(size, place.offset + place.size)
        end
        return size
    end
end
