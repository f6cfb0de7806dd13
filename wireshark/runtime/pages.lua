-- The array of pfns and page types at the head of a PAGE_DATA record.
local pages = {}
do
    local byte, floor = string.byte, math.floor

    -- Types of page as the definition names them: number -> name, and which of them have a page behind the array.
    local known = definitions.page_types

    -- The pfn of entry `index` (from 0) of an array.
    function pages.pfn(words, index, order)
        if order == "<" then
            -- Asked for every segment: one call.
            local a, b, c, d, e, f, g = byte(words, index * 8 + 1, index * 8 + 7)
            return (((((g % 16 * 256 + f) * 256 + e) * 256 + d) * 256 + c) * 256 + b) * 256 + a
        end
        local lo, hi = numbers.halves(words, index * 8 + 1, 8, order)
        return (hi % 0x100000) * 4294967296 + lo
    end

    -- The type of entry `index`.
    function pages.kind(words, index, order)
        return floor(byte(words, index * 8 + (order == ">" and 1 or 8)) / 16)
    end

    -- What the array says: how many entries, how many with a page behind them, first, last and highest pfn, the first entry
    -- whose pfn is not above the one before, entries of each type, and for each rule the first entry that the document
    -- forbids. `words` is a string of whole 8-byte words.
    function pages.look(words, order)
        local count = floor(#words / 8)
        local found = { count = count, with_data = 0, types = {}, bad = 0, first_bad = {}, first = -1, last = -1, highest = -1 }
        if count == 0 then
            return found
        end
        found.first = pages.pfn(words, 0, order)
        local types = found.types
        local little = order ~= ">"
        local before = -1
        for at = 1, #words - 7, 8 do
            -- From the lowest byte to the highest; one call for all of them is what a record of 1024 pfns can afford.
            local a, b, c, d, e, f, g, high = byte(words, at, at + 7)
            if not little then
                a, b, c, d, e, f, g, high = high, g, f, e, d, c, b, a
            end
            local pfn = (((((g % 16 * 256 + f) * 256 + e) * 256 + d) * 256 + c) * 256 + b) * 256 + a
            if pfn <= before then
                found.descends = found.descends or (at - 1) / 8
                found.highest = before > found.highest and before or found.highest
            end
            before = pfn
            local kind = floor(high / 16)
            types[kind] = (types[kind] or 0) + 1
            local one = known[kind]
            local reserved = high % 16 ~= 0 or g >= 16
            if one == nil or reserved then
                local rule = reserved and "page-data-pfn-reserved" or "page-data-type"
                found.bad = found.bad + 1
                found.first_bad[rule] = found.first_bad[rule] or { index = (at - 1) / 8, type = kind }
            end
        end
        found.last = before
        found.highest = before > found.highest and before or found.highest
        for kind, number in pairs(types) do
            if known[kind] and known[kind].data then
                found.with_data = found.with_data + number
            end
        end
        return found
    end

    -- The entries of the array with a page behind them: number of the page (from 0) -> index of the entry.
    function pages.with_data(words, order)
        local top = order == ">" and 1 or 8
        local entries, count = {}, 0
        for at = 0, #words - 8, 8 do
            local one = known[floor(byte(words, at + top) / 16)]
            if one and one.data then
                entries[count] = at / 8
                count = count + 1
            end
        end
        return entries
    end

    -- Whether 8 bytes at `at` are a word that a sender may write.
    function pages.valid(data, at)
        local high = byte(data, at + 7)
        return known[floor(high / 16)] ~= nil and high % 16 == 0 and byte(data, at + 6) < 16
    end
end
