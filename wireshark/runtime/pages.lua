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

    -- What the array says: how many entries, how many with a page behind them, first and last pfn, entries of each type,
    -- and for each rule the first entry that the document forbids. `words` is a string of whole 8-byte words.
    function pages.look(words, order)
        local count = floor(#words / 8)
        local found = { count = count, with_data = 0, types = {}, bad = 0, first_bad = {}, first = -1, last = -1 }
        if count == 0 then
            return found
        end
        found.first = pages.pfn(words, 0, order)
        found.last = pages.pfn(words, count - 1, order)
        local types = found.types
        local top, next_to_top = 8, 7
        if order == ">" then
            top, next_to_top = 1, 2
        end
        for at = 0, #words - 8, 8 do
            local high = byte(words, at + top)
            local kind = floor(high / 16)
            types[kind] = (types[kind] or 0) + 1
            local one = known[kind]
            local reserved = high % 16 ~= 0 or byte(words, at + next_to_top) >= 16
            if one == nil or reserved then
                local rule = reserved and "page-data-pfn-reserved" or "page-data-type"
                found.bad = found.bad + 1
                found.first_bad[rule] = found.first_bad[rule] or { index = at / 8, type = kind }
            end
        end
        for kind, number in pairs(types) do
            if known[kind] and known[kind].data then
                found.with_data = found.with_data + number
            end
        end
        return found
    end

    -- Whether the pfns of the array go up from entry to entry, as every sender's do.
    function pages.ascending(words, order)
        local last = -1
        for index = 0, floor(#words / 8) - 1 do
            local pfn = pages.pfn(words, index, order)
            if pfn <= last then
                return false
            end
            last = pfn
        end
        return true
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
