-- What decoding tells, as items of Wireshark's tree. Every field of the stream is added as a range of bytes.
local trees = {}
do
    local tree_of = {}
    tree_of.__index = tree_of

    -- Most items below one record: more would make Wireshark give up on the frame.
    trees.MOST = 20000
    -- Most characters of the names of flags behind a number: Wireshark cuts longer labels, and says so in front of them.
    trees.LONGEST = 160

    -- A sink for structs.decode whose offset 0 is byte `base` of `tvb`. `rule_of` gives the rule that a problem breaks, if it
    -- does, and what fills its message; `hidden` names arrays that are not listed.
    function trees.sink(item, tvb, base, rule_of, hidden)
        return setmetatable({
            tvb = tvb, base = base, stack = { item }, last = item, rule_of = rule_of, hidden = hidden or {}, left = trees.MOST,
            counts = {},
        }, tree_of)
    end

    function tree_of:range(offset, size)
        return self.tvb(self.base + offset, size)
    end

    -- The names of flags, as many as fit in a label; "none" of none.
    function trees.listed(flags)
        local words, length = {}, 0
        for _, flag in ipairs(flags) do
            length = length + #flag.name + 2
            if length > trees.LONGEST then
                words[#words + 1] = "..."
                break
            end
            words[#words + 1] = flag.name
        end
        return #words > 0 and table.concat(words, ", ") or "none"
    end

    -- Add the names of the flags that are set to the item with all of them.
    local function name_flags(item, row, lo, hi)
        local set = {}
        for _, flag in ipairs(row.flags) do
            if numbers.bits(lo, hi, flag.bit, 1) == 1 then
                set[#set + 1] = flag
            end
        end
        if #set > 0 then
            item:append_text((" (%s)"):format(trees.listed(set)))
        end
    end

    function tree_of:leaf(row, offset, size, order, lo, hi)
        self.left = self.left - 1
        if self.left < 0 then
            return
        end
        local parent = self.stack[#self.stack]
        local range = self:range(offset, size)
        local item
        if row.kind == "text" or row.kind == "strings" then
            item = parent:add_packet_field(fields[row.key], range, ENC_UTF_8)
        elseif order == "<" then
            item = parent:add_le(fields[row.key], range)
        else
            item = parent:add(fields[row.key], range)
        end
        if row.kind ~= "octets" and row.values and row.unit then
            item:append_text(" " .. row.unit)
        end
        self.last = item
        if row.flags then
            name_flags(item, row, lo, hi)
        end
        for _, flag in ipairs(row.flags or {}) do
            local part = range
            if size == 8 then
                local upper = flag.bit >= 32
                part = self:range(offset + (upper == (order == "<") and 4 or 0), 4)
            end
            if order == "<" then
                item:add_le(fields[flag.key], part)
            else
                item:add(fields[flag.key], part)
            end
        end
    end

    function tree_of:bits(part, offset, size, order, lo, hi)
        if self.left < 0 then
            return
        end
        local range = self:range(offset, size)
        if size <= 4 then
            if order == "<" then
                self.last:add_le(fields[part.key], range)
            else
                self.last:add(fields[part.key], range)
            end
        elseif part.width > 32 then
            self.last:add(fields[part.key], range, UInt64.new(lo, hi))
        else
            self.last:add(fields[part.key], range, math.floor(lo))
        end
    end

    function tree_of:open(row, offset, size, label)
        local parent = self.stack[#self.stack]
        local item = parent
        if size > 0 and self.left > 0 then
            self.left = self.left - 1
            if row.kind == "strings" then
                item = parent:add(self:range(offset, size), row.name)
            else
                item = parent:add(fields[row.key], self:range(offset, size))
                if label then
                    item:set_text(label)
                end
            end
        end
        self.stack[#self.stack + 1] = item
        self.last = item
    end

    function tree_of:close(size)
        local item = self.stack[#self.stack]
        self.stack[#self.stack] = nil
        if size and item ~= self.stack[#self.stack] then
            item:set_len(size)
        end
        self.last = item
    end

    function tree_of:array(row, offset, size, count)
        if self.hidden[row.name] then
            return false
        end
        local label = ("%s: %s"):format(row.name, numbers.count(count, "item"))
        if count > self.left then
            label = label .. (", the first %d of them shown"):format(math.max(self.left, 0))
        end
        local item = self.stack[#self.stack]:add(self:range(offset, size), label)
        self.stack[#self.stack + 1] = item
        self.last = item
        return true
    end

    function tree_of:problem(kind, path, _, message, actual, expected)
        if self.inside then
            path = path == "" and self.inside or self.inside .. "." .. path
        end
        local rule, values = self.rule_of(kind, path, message, actual, expected)
        if rule and rules.wanted(self.counts, rule) then
            findings.add(self.last, rule, values)
        end
    end
end
