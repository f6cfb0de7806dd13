-- Finding the place again after it was lost: the same anchors as core/decode/resync.py. A guest's memory may itself hold a
-- Xen stream, so an anchor is taken only when everything about it fits.
local anchors = {}
do
    local byte, find = string.byte, string.find
    local u32 = numbers.u32

    -- A PAGE_DATA of this many pfns is believed by itself; a smaller one needs a plausible record behind it.
    local CONVINCING = definitions.limits.convincing
    local LARGEST = definitions.largest_batch
    local PAGE = definitions.page_size
    local HEADER, HEAD, PFN = definitions.record_header, definitions.page_data_head, definitions.pfn_size
    -- No anchor but PAGE_DATA looks at more bytes than this.
    local LONGEST = definitions.limits.longest_anchor
    local records, names = definitions.records.libxc, definitions.record_numbers.libxc

    -- Whether a record header behind a PAGE_DATA looks like one. Zeros (END) prove little: only behind pages.
    local function plausible(kind, length, behind_pages)
        if kind == definitions.PAGE_DATA then
            return length >= HEAD - HEADER + PFN and length <= definitions.length_limit
        end
        local body = records[kind]
        if body == nil then
            return false
        elseif kind == definitions.END then
            return behind_pages and length == 0
        end
        if body.size then
            return length == body.size
        end
        return length > 0 and length <= definitions.length_limit
    end

    -- What tells a PAGE_DATA whose array ends at a hole: the words that are there must be right, and `count` be large. What
    -- is missing may have pages or not.
    local function cut_words(words, count, with_pages)
        local found = pages.look(words, "<")
        local missing = count - found.count
        if count < CONVINCING or found.bad > 0 or found.descends or found.with_data > with_pages
            or found.with_data < with_pages - missing then
            return false
        end
        return ("PAGE_DATA of %s whose length fits, %d of them there"):format(numbers.count(count, "pfn"), found.count)
    end

    -- Returns true, false, or how many bytes from `at` on would tell. `cut` says that no more bytes follow the buffer.
    local function page_data(buffer, at, cut)
        local left = #buffer - at + 1
        if left < HEAD then
            return not cut and HEAD
        end
        local length, count = u32(buffer, at + 4, "<"), u32(buffer, at + HEADER, "<")
        if count < 1 or count > LARGEST or u32(buffer, at + HEADER + 4, "<") ~= 0 or length < HEAD - HEADER + PFN * count then
            return false
        end
        local rest = length - (HEAD - HEADER) - PFN * count
        local with_pages = rest / PAGE
        if rest % PAGE ~= 0 or with_pages > count then
            return false
        end
        local size = HEAD + PFN * count
        -- One look at the first word spares waiting for the rest of what is none.
        if left >= HEAD + PFN and not pages.valid(buffer, at + HEAD) then
            return false
        end
        if left < size then
            if not cut then
                return size
            end
            local whole = left - HEAD
            return cut_words(buffer:sub(at + HEAD, at + HEAD - 1 + whole - whole % PFN), count, with_pages)
        end
        local words = buffer:sub(at + HEAD, at + size - 1)
        local found = pages.look(words, "<")
        if found.bad > 0 or found.with_data ~= with_pages or found.descends then
            return false
        end
        if count >= CONVINCING then
            return ("PAGE_DATA of %s whose length fits"):format(numbers.count(count, "ascending pfn"))
        end
        local following = at + HEADER + length
        if following + HEADER - 1 > #buffer then
            if cut then
                return ("PAGE_DATA of %s whose length fits, cut short"):format(numbers.count(count, "ascending pfn"))
            end
            return HEADER + length + HEADER
        end
        if plausible(u32(buffer, following, "<"), u32(buffer, following + 4, "<"), with_pages > 0) then
            return ("PAGE_DATA of %s with a plausible record behind it"):format(numbers.count(count, "pfn"))
        end
        return false
    end

    -- Whether the bytes at `at` match a list of {offset, least, most, step}.
    local function matches(buffer, at, list)
        for _, one in ipairs(list) do
            local number = byte(buffer, at + one[1])
            if number < one[2] or number > one[3] or (number - one[2]) % (one[4] or 1) > 0 then
                return false
            end
        end
        return true
    end

    local function zeros(first, last)
        local list = {}
        for offset = first, last do
            list[#list + 1] = { offset, 0, 0 }
        end
        return list
    end

    local function joined(...)
        local list = {}
        for _, part in ipairs({ ... }) do
            for _, one in ipairs(part) do
                list[#list + 1] = one
            end
        end
        return list
    end

    local context_begins = definitions.body_rules.hvm_header[1]

    -- needle; how far behind the anchor's beginning it stands; how many bytes the check looks at; the check.
    local kinds = {
        { needle = "\1\0\0\0", back = 0, page_data = true },
        {
            needle = context_begins, back = HEADER, size = HEADER + #context_begins,
            layer = "libxc", what = "record", evidence = "HVM_CONTEXT with Xen's magic number",
            check = joined({ { 0, 9, 9 } }, zeros(1, 3), { { 7, 0, 7 } }),
        },
        {
            needle = "\8\0\0\0\24\0\0\0", back = 0, size = 40,
            layer = "libxc", what = "record", evidence = "X86_TSC_INFO with the record that must follow it",
            check = joined({ { 8, 0, 3 } }, zeros(9, 11), zeros(28, 31)),
            also = function(buffer, at)
                local kind, length = u32(buffer, at + 32, "<"), u32(buffer, at + 36, "<")
                return kind == names.HVM_CONTEXT and length < definitions.length_limit or kind == names.SHARED_INFO and length == PAGE
            end,
        },
        {
            needle = "QEVM\0\0\0", back = 16, size = 24,
            layer = "libxl", what = "record", evidence = "EMULATOR_CONTEXT with QEMU's magic number",
            check = joined({ { 0, 3, 3 } }, zeros(1, 3), { { 7, 0, 7 }, { 8, 0, 2 } }, zeros(9, 15), { { 23, 2, 3 } }),
        },
        {
            needle = ("\255"):rep(8) .. "XENF\0\0\0", back = 0, size = 30,
            layer = "libxc", what = "header", evidence = "libxc image header and domain header",
            check = joined({ { 15, 2, 3 } }, zeros(16, 23), { { 24, 1, 2 } }, zeros(25, 27), { { 28, 12, 12 }, { 29, 0, 0 } }),
        },
        {
            needle = "LibxlFmt\0\0\0\2\0\0\0", back = 0, size = 24,
            layer = "libxl", what = "header", evidence = "libxl header and LIBXC_CONTEXT",
            check = joined({ { 15, 0, 2, 2 }, { 16, 1, 1 } }, zeros(17, 23)),
        },
        {
            needle = definitions.texts.permission, back = 0, size = #definitions.texts.permission,
            layer = "xl", what = "permission", evidence = "the sender's permission to unpause", check = {},
        },
    }

    -- Search `buffer` from index `start` on. Returns an index and, when an anchor begins there, what it is (a table with
    -- layer, what and evidence); without one, search again from that index when there are more bytes. `headers` says whether
    -- headers of libxl and libxc may come at all: inside a stream they belong to one in the guest's memory.
    function anchors.find(buffer, start, cut, headers)
        local hits = {}
        for number, kind in ipairs(kinds) do
            hits[number] = (headers or kind.what ~= "header") and find(buffer, kind.needle, start + kind.back, true) or nil
        end
        while true do
            local first, at
            for number, kind in ipairs(kinds) do
                local hit = hits[number]
                if hit and (at == nil or hit - kind.back < at) then
                    first, at = number, hit - kind.back
                end
            end
            if at == nil then
                local again = #buffer - LONGEST + 2
                return again > start and again or start, nil
            end
            local kind = kinds[first]
            if kind.page_data then
                local found = page_data(buffer, at, cut)
                if type(found) == "number" then
                    return at, nil
                elseif found then
                    return at, { layer = "libxc", what = "record", evidence = found }
                end
            elseif at + kind.size - 1 > #buffer then
                if not cut then
                    return at, nil
                end
            elseif matches(buffer, at, kind.check) and (kind.also == nil or kind.also(buffer, at)) then
                return at, kind
            end
            hits[first] = find(buffer, kind.needle, at + kind.back + 1, true)
        end
    end
end
