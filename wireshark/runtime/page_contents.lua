-- Those pages of a PV guest's memory that are worth a look: core/decode/page_contents.py. They are picked out of what is passed
-- over, as it passes: no other byte of guest memory is looked at, and the states of the decoder do not know of it.
local page_contents = {}
do
    local byte, concat = string.byte, table.concat
    local facts = definitions.page_contents
    local PAGE, MAGIC = definitions.page_size, facts.magic

    local watch = {}
    watch.__index = watch

    -- The byte with the type of entry `index`.
    local function type_of(self, index)
        local high = byte(self.words, index * 8 + self.top)
        return (high - high % 16) / 16
    end

    -- Turn to page `number` (from 0).
    local function turn(self, number)
        self.number, self.pieces, self.held = number, nil, 0
        self.begins = self.record.first_page + number * PAGE
        if number < self.count then
            self.entry = self.map and self.map[number] or number
            self.kind = type_of(self, self.entry)
            self.table = facts.tables[self.kind] ~= nil
            self.wanted = self.table and PAGE or #MAGIC
        end
    end

    -- All bytes of the page that were wanted are there.
    local function complete(self, bytes)
        if self.table then
            self.bytes = bytes
        elseif self.wanted == #MAGIC and bytes == MAGIC then
            self.wanted = page_tables.START_INFO
            self.pieces, self.held = { bytes }, #MAGIC
            return
        elseif self.wanted > #MAGIC then
            self.bytes = bytes
        end
        self.wanted = 0
    end

    -- `count` bytes pass by that stand at `position`: those of `source`, which has raw(offset, count), from `offset` on.
    function watch:see(position, source, offset, count)
        local stop = position + count
        while self.number < self.count do
            while self.wanted > 0 do
                local from = self.begins + self.held
                local size = self.wanted - self.held
                if from >= stop then
                    return
                elseif from + size > stop then
                    size = stop - from
                end
                local bytes = source:raw(offset + from - position, size)
                if self.pieces then
                    self.pieces[#self.pieces + 1] = bytes
                    self.held = self.held + size
                    bytes = self.held == self.wanted and concat(self.pieces)
                elseif size < self.wanted then
                    self.pieces, self.held, bytes = { bytes }, size, nil
                end
                if bytes then
                    complete(self, bytes)
                end
            end
            if self.begins + PAGE > stop then
                return
            end
            if self.bytes then
                local page = { record = self.record, number = self.number, kind = self.kind, stop = self.begins + PAGE,
                    pfn = pages.pfn(self.words, self.entry, self.record.order) }
                self.tables:page(page, self.bytes, self.table)
                self.bytes = nil
            end
            turn(self, self.number + 1)
        end
        self.direction.watch = nil
    end

    -- The pages of a PAGE_DATA come next, in a stream whose pages are to be looked into.
    function page_contents.look(direction, record)
        local words, found, guest = record.words, record.pfns, direction.guest
        if not guest.pv or not words or #words > facts.most or found.bad > 0
            or 8 + #words + found.with_data * PAGE > record.length then
            return
        end
        local new = setmetatable({
            direction = direction, record = record, words = words, top = record.order == ">" and 1 or 8,
            tables = guest.pages, count = found.with_data, map = nil,
        }, watch)
        if found.with_data ~= found.count then
            new.map = pages.with_data(words, record.order)
        end
        turn(new, 0)
        direction.watch = new
    end
end
