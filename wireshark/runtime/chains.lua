-- Chains of typed entries: walking them, and finding the next entry after one whose length is broken, as
-- core/definitions/chain.py does.
local chains = {}
do
    local halves = numbers.halves

    -- Entries that are decoded of one chain.
    chains.MOST = definitions.limits.chain_entries
    -- Bytes that are searched for the next entry: every one of them is looked at each time that the record is shown.
    local SEARCHED = 262144

    local chain = {}
    chain.__index = chain

    -- Whether data of that length may be what these lengths belong to.
    function chains.accepts(accepts, length)
        if accepts.lengths[length] then
            return true
        end
        return accepts.fixed ~= nil and length >= accepts.fixed and (length - accepts.fixed) % accepts.item == 0
    end

    -- Look at the chain of a row in `data`, which ends in front of index `stop`.
    function chains.walk(row, data, stop, order)
        return setmetatable({
            entries = row.entries, size = row.item.size, data = data, stop = stop, order = order,
            kind_size = row.item.rows[1].size, length_at = row.length_at, length_size = row.length_size, lost = false,
        }, chain)
    end

    -- Type and length that the descriptor at `at` gives.
    function chain:head(at)
        return (halves(self.data, at, self.kind_size, self.order)),
            (halves(self.data, at + self.length_at, self.length_size, self.order))
    end

    -- Whether an entry of that type may have that length.
    function chain:fits(kind, length)
        local known = self.entries[kind]
        return known ~= nil and chains.accepts(known.accepts, length)
    end

    -- Whether a descriptor of a known type with a known length, or the end of the chain, stands there.
    function chain:plausible(at)
        if at + self.size > self.stop then
            return false
        end
        if at + self.size == self.stop then
            return not self.data:sub(at, self.stop - 1):find("[^\0]")
        end
        local kind, length = self:head(at)
        return kind ~= 0 and self:fits(kind, length) and at + self.size + length <= self.stop
    end

    function chain:leads_on(at)
        if at == self.stop or self:plausible(at) then
            return true
        end
        if at + self.size > self.stop then
            return false
        end
        local kind, length = self:head(at)
        return kind ~= 0 and self:plausible(at + self.size + length)
    end

    function chain:search(at)
        local last = self.stop - self.size
        if last > at + SEARCHED then
            last = at + SEARCHED
        end
        -- The end of the chain is no such place: it looks like any zeros.
        for candidate = at, last < self.stop - self.size and last or last - 1 do
            if self:plausible(candidate) then
                local _, length = self:head(candidate)
                local after = candidate + self.size + length
                if after == self.stop or self:plausible(after) then
                    return candidate
                end
            end
        end
        return nil
    end

    -- Whether an entry of a known type seems to begin there, broken as it may be.
    function chain:begins(at)
        if at + self.size > self.stop then
            return at < self.stop
        end
        local kind, length = self:head(at)
        return self.entries[kind] ~= nil and (kind ~= 0 or length == 0)
    end

    -- Where the data of the entry at `at` ends, where the next entry begins, and whether it was searched for.
    function chain:next(at)
        local behind = at + self.size
        local kind, length = self:head(at)
        local announced = behind + length
        local fits = self:fits(kind, length)
        local leads_on
        if kind == 0 then
            leads_on = announced == self.stop
        else
            leads_on = self:leads_on(announced)
        end
        if not (self.lost or (fits and leads_on)) and kind ~= 0 and self.entries[kind] then
            for _, other in ipairs(self.entries[kind].sizes) do
                if self:plausible(behind + other) then
                    return behind + other, behind + other, true
                end
            end
        end
        if not (self.lost or leads_on or (kind ~= 0 and fits and self:begins(announced))) then
            local found = self:search(behind)
            if found then
                return announced < found and announced or found, found, true
            end
            self.lost = true
        end
        local ends = announced < self.stop and announced or self.stop
        return ends, ends, false
    end
end
