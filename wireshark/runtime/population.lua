-- Which pages of the guest a receiver has once it has taken a stream's memory, and of what types: core/check/population.py. Of
-- a page that comes again the last type counts.
--
-- The first pass is kept as rows of pfns that follow one another: of one type each, as nearly all are, or with the array of
-- the record, which is kept anyway to say which pages a segment holds. The arrays of later passes are put aside until
-- somebody asks; then those pages are noted that become what they were not.
local population = {}
do
    local byte, floor = string.byte, math.floor
    local unpopulated = definitions.memory_rules.unpopulated
    local methods = {}
    methods.__index = methods

    -- `whole` says that nothing was missed, so that what is not here did not come.
    function population.new(whole)
        return setmetatable({
            whole = whole,
            came = 0,           -- how many pfns have come: all before this one have
            starts = {},        -- the first pfn of each row
            rows = {},          -- its type, or { words, order, types: those in it }
            later = {},         -- arrays of later passes that were not looked at: words, what was found in them, order
            changed = {},       -- pfn -> what is known of a page that is not as in its row
        }, methods)
    end

    -- What is known of a page: its type doubled, and one more if it came with data at some time, or a receiver makes an empty
    -- one (xg_sr_restore.c, populate_pfns).
    local function known(kind)
        return kind * 2 + (unpopulated[kind] and 0 or 1)
    end

    -- Something was missed: nothing can be said any more.
    function methods:lose()
        self.whole, self.came = false, 0
        self.starts, self.rows, self.later, self.changed = {}, {}, {}, {}
    end

    -- Add `count` pages behind all that have come: `row` as in rows.
    local function append(self, row, count)
        local rows = self.rows
        if row ~= rows[#rows] then
            rows[#rows + 1] = row
            self.starts[#rows] = self.came
        end
        self.came = self.came + count
    end

    -- Entries of an array that is no row append what comes next; with what lies behind that, others are missing.
    local function grow(self, words, count, order)
        for index = 0, count - 1 do
            local pfn = pages.pfn(words, index, order)
            if pfn == self.came then
                append(self, pages.kind(words, index, order), 1)
            elseif pfn > self.came then
                self:lose()
                return
            end
        end
    end

    -- Take the pfns of a record as they stand in the stream, and what pages.look found in them.
    function methods:take(words, found, order)
        if not self.whole then
            return
        end
        local types = found.types
        local kind = next(types)
        -- The type of all its pages, where they have one.
        local all = next(types, kind) == nil and kind or nil
        if found.first == self.came and not found.descends and found.last - found.first == found.count - 1 then
            append(self, all or { words = words, order = order, types = types }, found.count)
            return
        end
        if found.highest >= self.came then
            grow(self, words, found.count, order)
        end
        if self.whole then
            local later = self.later
            local last = #later
            later[last + 1], later[last + 2], later[last + 3] = words, found, order
        end
    end

    -- How many pfns have come.
    function methods:count()
        return self.came
    end

    -- The row that holds a pfn which has come.
    local function row_of(self, pfn)
        local starts = self.starts
        local low, high = 1, #starts
        while low < high do
            local middle = floor((low + high + 1) / 2)
            if starts[middle] <= pfn then
                low = middle
            else
                high = middle - 1
            end
        end
        return low
    end

    -- What was known of a page by the first pass.
    local function at_first(self, number, pfn)
        local row = self.rows[number]
        return known(type(row) == "table" and pages.kind(row.words, pfn - self.starts[number], row.order) or row)
    end

    -- Note what an array of a later pass makes of its pages.
    local function note(self, words, found, order)
        local changed, starts, rows = self.changed, self.starts, self.rows
        local start, behind, number, row = 0, 0, 0, nil
        local little = order ~= ">"
        for at = 1, 8 * found.count, 8 do
            -- As in pages.look: one call for all of them.
            local a, b, c, d, e, f, g, high = byte(words, at, at + 7)
            if not little then
                a, b, c, d, e, f, g, high = high, g, f, e, d, c, b, a
            end
            local pfn = (((((g % 16 * 256 + f) * 256 + e) * 256 + d) * 256 + c) * 256 + b) * 256 + a
            local kind = floor(high / 16)
            if pfn < start or pfn >= behind then
                -- Mostly it is in the next row.
                local following = pfn >= behind and pfn < (starts[number + 2] or self.came)
                number = following and number + 1 or row_of(self, pfn)
                start, behind, row = starts[number], starts[number + 1] or self.came, rows[number]
            end
            local before = changed[pfn]
            if before or kind ~= row then
                before = before or at_first(self, number, pfn)
                local now = known(kind)
                if now % 2 < before % 2 then
                    now = now + 1
                end
                if now ~= before then
                    changed[pfn] = now
                end
            end
        end
    end

    local function settle(self)
        local later = self.later
        if #later > 0 then
            for at = 1, #later, 3 do
                note(self, later[at], later[at + 1], later[at + 2])
            end
            self.later = {}
        end
    end

    local function of(self, pfn)
        settle(self)
        return self.changed[pfn] or pfn < self.came and at_first(self, row_of(self, pfn), pfn) or 0
    end

    -- Whether a receiver has the page.
    function methods:populated(pfn)
        -- Once it has, it has; then what came later need not be looked at.
        return pfn < self.came and (at_first(self, row_of(self, pfn), pfn) % 2 == 1 or of(self, pfn) % 2 == 1)
    end

    -- The page's last type, a number; that of an ordinary page where it never came, as in a receiver.
    function methods:type(pfn)
        return floor(of(self, pfn) / 2)
    end

    -- Whether a receiver has all of these pages, and they are ordinary ones.
    function methods:ordinary(pfns)
        for _, pfn in ipairs(pfns) do
            if of(self, pfn) ~= known(0) then
                return false
            end
        end
        return true
    end

    -- Whether any page of a row is still of that type.
    local function row_has(self, number, kind)
        local row, start, behind = self.rows[number], self.starts[number], self.starts[number + 1] or self.came
        if row ~= kind and (type(row) == "number" or not row.types[kind]) then
            return false
        end
        for pfn = start, behind - 1 do
            if not self.changed[pfn] and at_first(self, number, pfn) == known(kind) then
                return true
            end
        end
        return false
    end

    -- Whether a page has come whose last type is this one, which is one with data.
    function methods:has(kind)
        settle(self)
        for _, now in pairs(self.changed) do
            if now == known(kind) then
                return true
            end
        end
        for number in ipairs(self.rows) do
            if row_has(self, number, kind) then
                return true
            end
        end
        return false
    end
end
