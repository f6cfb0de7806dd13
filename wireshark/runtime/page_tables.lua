-- Rules over what is in the page tables of a PV guest, as the pages pass by: core/check/page_tables.py. Whether there is
-- anything to hold to them, a preference says.
local page_tables = {}
do
    local byte, find, format, sub, rep = string.byte, string.find, string.format, string.sub, string.rep
    local facts = definitions.page_tables
    local page_type = definitions.enumerations[facts.page_type]
    local hex, whole_hex = numbers.hex, numbers.whole_hex
    local PAGE, WORD = definitions.page_size, 8
    local PRESENT, LARGE = facts.present, facts.large
    -- Tables are compared with zeros in pieces, for most of them are nearly empty.
    local PIECE = PAGE / 8
    local NOTHING, EMPTY = rep("\0", PIECE), rep("\0", PAGE)

    -- Bytes of a page that looks like start_info that are asked for.
    page_tables.START_INFO = 0
    for _, layout in pairs(facts.start_info) do
        page_tables.START_INFO = math.max(page_tables.START_INFO, layout.console + layout.size)
    end
    -- Whether pages are looked into: a preference.
    page_tables.wanted = false

    local state = {}
    state.__index = state

    function page_tables.new(guest)
        return setmetatable({
            guest = guest,
            -- By pfn of what looks like start_info: number of the record, and the pfns of the xenstore and the console page as
            -- halves.
            starts = {},
            starts_count = 0,
            starts_full = false,
            stale = {},             -- pfns of those that come anew with the last PAGE_DATA
            told = {},              -- how often each rule was told: the core keeps as many
        }, state)
    end

    -- Tell that a page breaks a rule. The segment that holds the last byte of the page shows it, or a later one that shows the
    -- record, which the search for a lost place may have found behind its pages.
    local function tell(self, rule, page, problem)
        local told = (self.told[rule] or 0) + 1
        self.told[rule] = told
        if told > facts.kept then
            return
        end
        local record = page.record
        local values = { what = "a page", problem = format("pfn %s, of type %s: %s", whole_hex(page.pfn),
            structs.meaning(page_type, page.kind), problem) }
        if page.stop <= record.shown then
            rules.tell(record, rule, values)
            return
        end
        record.of_pages = record.of_pages or {}
        local found = record.of_pages[page.number] or {}
        record.of_pages[page.number] = found
        found[#found + 1] = { rule = rule, values = values }
    end

    -- The frame in the entry at `at`: bits 12 to 51.
    local function frame(data, at)
        local lo, hi = numbers.halves(data, at, WORD, "<")
        return (hi % 0x100000 * 0x100000) + (lo - lo % 0x1000) / 0x1000
    end

    -- Of the entries that are present those whose frame is not below `limit`: how many, and the index of the first.
    local function beyond(data, limit)
        local count, first = 0, nil
        -- The frame is compared with 4 bits below it, which saves dividing.
        local most = limit * 16
        local function look(at)
            if frame(data, at) >= limit then
                count, first = count + 1, first or (at - 1) / WORD
            end
        end
        for piece = 1, PAGE, PIECE do
            if sub(data, piece, piece + PIECE - 1) ~= NOTHING then
                -- Two at a time: the calls are what takes time.
                for at = piece, piece + PIECE - 1, 2 * WORD do
                    local a, b, c, d, e, f, g, _, i, j, k, l, m, n, o = byte(data, at, at + 2 * WORD - 2)
                    if a % 2 == PRESENT and (f > 0 or ((e * 256 + d) * 256 + c) * 256 + b >= most or g % 16 > 0) then
                        look(at)
                    end
                    if i % 2 == PRESENT and (n > 0 or ((m * 256 + l) * 256 + k) * 256 + j >= most or o % 16 > 0) then
                        look(at + WORD)
                    end
                end
            end
        end
        return count, first
    end

    local function range(self, page, data)
        local last = self.guest.end_pfn
        if last == nil then
            return
        end
        local count, first = beyond(data, last + 1)
        if count > 0 then
            tell(self, "page-table-range", page, format("entry %d leads to pfn %s%s: the last pfn of the guest is %s", first,
                whole_hex(frame(data, first * WORD + 1)), count > 1 and format(", and %d more", count - 1) or "",
                whole_hex(last)))
        end
    end

    -- What senders see to, in tables above L1.
    local function writer(self, page, data, level)
        for at = 1, PAGE, WORD do
            local low = byte(data, at)
            if low >= LARGE and low % 2 == PRESENT then
                tell(self, "page-table-large", page, format("entry %d is of a large page", (at - 1) / WORD))
                break
            end
        end
        local slots = facts.xen_slots[self.guest.width]
        slots = slots and slots[level]
        if slots then
            local from, to = slots.first * WORD + 1, (slots.last + 1) * WORD
            local at = sub(data, from, to) ~= sub(EMPTY, from, to) and find(data, "[^\0]", from)
            if at then
                local index = (at - 1 - (at - 1) % WORD) / WORD
                local lo, hi = numbers.halves(data, index * WORD + 1, WORD, "<")
                tell(self, "page-table-xen", page, format("entry %d is %s: that one is Xen's", index, hex(lo, hi)))
            end
        end
    end

    -- start_info ---------------------------------------------------------------------------------------------------

    -- Drop what is stale, once the batch that brings it anew has passed.
    local function settle(self)
        for pfn, index in pairs(self.stale) do
            if self.starts[pfn].index == index then
                self.starts[pfn], self.starts_count = nil, self.starts_count - 1
            end
        end
        self.stale = {}
    end

    -- A PAGE_DATA has these pfns, and its pages come next: what came before of the same pages does not count any more.
    function state:batch(record, words)
        settle(self)
        if self.starts_count == 0 or #words > definitions.page_contents.most then
            return
        end
        for index = 0, record.pfns.count - 1 do
            local start = self.starts[pages.pfn(words, index, record.order)]
            if start then
                self.stale[start.pfn] = start.index
            end
        end
    end

    local function start_info(self, page, data)
        local layout = facts.start_info[self.guest.width]
        if layout == nil then
            return
        elseif self.starts_count >= facts.start_infos_max then
            self.starts_full = true
            return
        end
        local start = { pfn = page.pfn, index = page.record.index }
        start.store_lo, start.store_hi = numbers.halves(data, layout.store + 1, layout.size, "<")
        start.console_lo, start.console_hi = numbers.halves(data, layout.console + 1, layout.size, "<")
        if self.starts[page.pfn] == nil then
            self.starts_count = self.starts_count + 1
        end
        self.starts[page.pfn] = start
    end

    -- Take a page: the record that brings it, its number in it, pfn, type and where it ends. `data` is all of a table, and
    -- the beginning of what looks like start_info.
    function state:page(page, data, is_table)
        if not is_table then
            start_info(self, page, data)
            return
        elseif data == EMPTY then
            return
        end
        range(self, page, data)
        local level = facts.levels[page.kind]
        if level > 1 then
            writer(self, page, data, level)
        end
    end
end
