-- Rules over what is in the page tables of a PV guest, as the pages pass by: core/check/page_tables.py. Whether there is
-- anything to hold to them, a preference says.
local page_tables = {}
do
    local byte, find, format, sub, rep = string.byte, string.find, string.format, string.sub, string.rep
    local concat, remove, sort = table.concat, table.remove, table.sort
    local facts = definitions.page_tables
    local page_type = definitions.enumerations[facts.page_type]
    local hex, whole_hex = numbers.hex, numbers.whole_hex
    local PAGE, WORD = definitions.page_size, 8
    local PRESENT, LARGE = facts.present, facts.large
    -- Tables are compared with zeros in pieces, for most of them are nearly empty.
    local PIECE = PAGE / 8
    local NOTHING, EMPTY = rep("\0", PIECE), rep("\0", PAGE)

    local RINGS = { "xenstore", "console" }
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
            tables = {},            -- by pfn: what is known of a table above L1
            count = 0,              -- tables that have come
            kept = 0,               -- what they take, in links
            full = false,
            written = false,        -- a table has an entry: without one memory was zeroed, as `xenmig scrub` does
            -- By pfn of what looks like start_info: number of the record, and the pfns of the rings as halves.
            starts = {},
            starts_count = 0,
            more_starts = false,    -- whether there may be more: over the limit, or of which bytes are missing
            batch_before = nil,     -- the last PAGE_DATA: the record, its pfns as they stand in the stream, and what they are
            told = {},              -- how often each rule was told: the core keeps as many
        }, state)
    end

    -- Tell that a page breaks a rule: with the CHECKPOINT or END that shows it, or with the segment that holds the last byte of
    -- the page, or with a later one that shows the record, which the search for a lost place may have found behind its pages.
    local function tell(self, rule, page, problem, ending)
        if not rules.wanted(self.told, rule) then
            return
        end
        local record = page.record
        local values = { what = "a page", problem = format("pfn %s, of type %s: %s", whole_hex(page.pfn),
            structs.meaning(page_type, page.kind), problem) }
        if ending then
            rules.tell(ending, rule, values, record)
            return
        elseif page.stop <= record.shown then
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

    -- What senders see to, in tables above L1: `large` is the index of the first entry of a large page.
    local function writer(self, page, data, level, large)
        if large then
            tell(self, "page-table-large", page, format("entry %d is of a large page", large))
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

    -- The entries that are present, as they stand in the table, and the index of the first of a large page.
    local function present(data)
        local runs, run, large = {}, nil, nil
        for piece = 1, PAGE, PIECE do
            if sub(data, piece, piece + PIECE - 1) ~= NOTHING then
                for at = piece, piece + PIECE - 1, WORD do
                    local low = byte(data, at)
                    if low % 2 == PRESENT then
                        run = run or at
                        if low >= LARGE then
                            large = large or (at - 1) / WORD
                        end
                    elseif run then
                        runs[#runs + 1] = sub(data, run, at - 1)
                        run = nil
                    end
                end
            elseif run then
                runs[#runs + 1] = sub(data, run, piece - 1)
                run = nil
            end
        end
        if run then
            runs[#runs + 1] = sub(data, run)
        end
        return concat(runs), large
    end

    local function cost(links)
        return #links / WORD + facts.table_cost
    end

    -- What came of a table before does not count any more.
    local function forget(self, pfn)
        local before = self.tables[pfn]
        if before then
            self.tables[pfn], self.kept = nil, self.kept - cost(before.links)
        end
    end

    -- Keep what a table leads to.
    local function keep(self, page, links)
        forget(self, page.pfn)
        if self.kept + cost(links) > facts.links_max then
            self.full = true
            return
        end
        self.kept, self.count = self.kept + cost(links), self.count + 1
        self.tables[page.pfn] = { page = page, links = links, number = self.count }
    end

    -- The tables that a table leads to; says when what it leads to are none.
    local function follow(self, upper, level, came, ending)
        local right = {}
        for at = 1, #upper.links, WORD do
            local pfn = frame(upper.links, at)
            local kind = came:type(pfn)
            local below = kind % (facts.level + 1)
            if not came:populated(pfn) then
                tell(self, "page-table-missing", upper.page, format("it leads to pfn %s, which never comes", whole_hex(pfn)),
                    ending)
            elseif below == level or below == level - 1 then
                -- A table that leads to one of its own level maps the tables themselves.
                right[#right + 1] = self.tables[pfn]
            else
                tell(self, "page-table-level", upper.page, format("it leads to pfn %s, a page of type %s", whole_hex(pfn),
                    structs.meaning(page_type, kind)), ending)
            end
        end
        return right
    end

    -- start_info ---------------------------------------------------------------------------------------------------

    -- Whether `pfn` is among those of a batch; `all` are all of them, where they do not ascend.
    local function brings(batch, pfn, all)
        if all then
            return all[pfn]
        end
        local low, high = 0, batch.found.count - 1
        while low < high do
            local middle = low + high
            middle = (middle - middle % 2) / 2
            if pages.pfn(batch.words, middle, batch.record.order) < pfn then
                low = middle + 1
            else
                high = middle
            end
        end
        return pages.pfn(batch.words, low, batch.record.order) == pfn
    end

    local function pfns_of(batch)
        local all = {}
        for index = 0, batch.found.count - 1 do
            all[pages.pfn(batch.words, index, batch.record.order)] = true
        end
        return all
    end

    -- The last batch has passed: what came before of the same pages does not count any more.
    local function settle(self)
        local batch = self.batch_before
        if batch == nil then
            return
        end
        self.batch_before = nil
        local record, found = batch.record, batch.found
        local missed = record.missing > 0 or 8 + WORD * record.count + PAGE * found.with_data > record.length
        local all = (missed or found.descends) and found.count > 0 and pfns_of(batch)
        if found.count > 0 then
            for pfn, start in pairs(self.starts) do
                if start.index ~= record.index and brings(batch, pfn, all) then
                    self.starts[pfn], self.starts_count = nil, self.starts_count - 1
                end
            end
        end
        if missed then
            -- Not all of its pages were looked into.
            self.more_starts = true
            for pfn in pairs(all or {}) do
                local before = self.tables[pfn]
                if before and before.page.record ~= record then
                    forget(self, pfn)
                end
            end
        end
    end

    -- A PAGE_DATA has these pfns, and its pages come next.
    function state:batch(record, words)
        settle(self)
        if #words > definitions.page_contents.most then
            return
        end
        self.batch_before = { record = record, words = words, found = record.pfns }
    end

    -- All of the guest's memory has come: follow the tables from the pinned ones on. Only these are known to be in use: a page
    -- that was a table once keeps its type, and its content may be stale.
    function state:complete(ending)
        local came = self.guest:population()
        if came == nil then
            return
        end
        settle(self)
        if self.full then
            rules.tell(ending, "page-table-many", { problem = format(
                "there are more than %s links between page tables: not all were followed", numbers.grouped(facts.links_max)) })
        end
        local reached, seen = {}, {}
        for pfn, one in pairs(self.tables) do
            if came:type(pfn) >= facts.pinned then
                reached[#reached + 1], seen[one] = one, true
            end
        end
        -- As the core goes through them: what is kept of each rule are the first findings.
        sort(reached, function(one, other)
            return one.number < other.number
        end)
        while #reached > 0 do
            local upper = remove(reached)
            local level = came:type(upper.page.pfn) % (facts.level + 1)
            if level == facts.levels[upper.page.kind] then
                for _, below in ipairs(follow(self, upper, level, came, ending)) do
                    if not seen[below] then
                        seen[below] = true
                        reached[#reached + 1] = below
                    end
                end
            end
        end
    end

    local function start_info(self, page, data)
        local layout = facts.start_info[self.guest.width]
        if layout == nil then
            return
        elseif self.starts_count >= facts.start_infos_max then
            self.more_starts = true
            return
        end
        local start = { pfn = page.pfn, index = page.record.index }
        for _, name in ipairs(RINGS) do
            local lo, hi = numbers.halves(data, layout[name] + 1, layout.size, "<")
            start[name] = { lo = lo, hi = hi }
        end
        if self.starts[page.pfn] == nil then
            self.starts_count = self.starts_count + 1
        end
        self.starts[page.pfn] = start
    end

    -- Hold the start_info page to the rules, which the guest has and the record of its first vcpu names.
    function state:check_start_info(record, pfn)
        local came, last = self.guest:population(), self.guest.end_pfn
        if came == nil or next(self.tables) and not self.written then
            return
        end
        settle(self)
        local function tell_of(rule, ...)
            rules.tell(record, rule, { problem = format(...) })
        end
        local start = self.starts[pfn]
        if start == nil then
            if not self.more_starts then
                tell_of("pv-start-info", 'the start_info page, pfn %s, does not begin with "%s"', hex(pfn, 0),
                    definitions.page_contents.magic)
            end
            return
        end
        for _, name in ipairs(RINGS) do
            local ring_lo, ring_hi = start[name].lo, start[name].hi
            local known = format("by start_info, pfn %s, the %s page is pfn %s", hex(pfn, 0), name, hex(ring_lo, ring_hi))
            if last and (ring_hi > 0 or ring_lo > last) then
                tell_of("pv-start-info-pfn", "%s: the last pfn of the guest is %s", known, hex(last, 0))
            elseif ring_hi > 0 or not came:populated(ring_lo) then
                tell_of("pv-start-info-pfn", "%s, which never comes", known)
            end
        end
    end

    -- Take a page: the record that brings it, its number in it, pfn, type and where it ends. `data` is all of a table, and
    -- the beginning of what looks like start_info.
    function state:page(page, data, is_table)
        if not is_table then
            start_info(self, page, data)
            return
        end
        local level, written = facts.levels[page.kind], data ~= EMPTY
        self.written = self.written or written
        if written then
            range(self, page, data)
        end
        if level > 1 then
            local links, large = present(data)
            if written then
                writer(self, page, data, level, large)
            end
            keep(self, page, links)
        end
    end
end
