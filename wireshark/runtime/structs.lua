-- Decoding by definition: one interpreter for every struct, as in core/definitions/decoding.py and with the same words. It
-- tells a sink what it finds, in wire order; offsets count from 0:
--   sink:leaf(row, offset, size, order, lo, hi)      octets or text, or a number, which is told by its halves, too
--   sink:bits(bits, offset, size, order, lo, hi)     some bits of the number that was told last
--   sink:open(row, offset, size, label)              a struct, array or chain begins
--   sink:close()
--   sink:array(row, offset, size, count)             returns true to be told the items too
--   sink:problem(kind, path, offset, message, actual, expected)
--                                                    something that the definition forbids, below the entry of a chain that
--                                                    sink.inside names, if any; numbers where one must be another
local structs = {}
do
    local sub, floor, format = string.sub, math.floor, string.format
    local hex, halves = numbers.hex, numbers.halves
    local enumerations = definitions.enumerations
    local decode_struct

    -- A number, by its halves, and its name.
    local function meaning_text(enumeration, lo, hi)
        hi = hi or 0
        local digits = enumeration.digits
        local shown = digits > 0 and hex(lo, hi, digits) or numbers.decimal(lo, hi)
        return format("%s (%s)", shown, hi == 0 and enumeration.names[lo] or "unknown")
    end
    structs.meaning = meaning_text

    -- The bits that are set and that `flags` has no name for, as halves.
    function structs.unknown_flags(flags, lo, hi)
        return lo - numbers.band(lo, flags.known_lo), hi - numbers.band(hi, flags.known_hi)
    end

    -- A number, by its halves, and the names of its bits.
    function structs.flags_meaning(flags, lo, hi)
        local names = {}
        for bit = 0, 63 do
            if flags.names[bit] and numbers.bits(lo, hi, bit, 1) == 1 then
                names[#names + 1] = flags.names[bit]
            end
        end
        local unknown_lo, unknown_hi = structs.unknown_flags(flags, lo, hi)
        if unknown_lo + unknown_hi > 0 then
            names[#names + 1] = "unknown " .. hex(unknown_lo, unknown_hi)
        end
        return format("%s (%s)", hex(lo, hi, flags.digits), #names > 0 and table.concat(names, ", ") or "none")
    end

    -- What tells the item that begins at index `at` from others of its kind: ": index STORE_PFN", or "".
    local function told_by(item, data, at, order)
        local words = {}
        for _, one in ipairs(item.told_by or {}) do
            local lo, hi = halves(data, at + one.at, one.size, order)
            local name = one.values and hi == 0 and enumerations[one.values].names[lo]
            words[#words + 1] = format("%s %s", one.name,
                name or one.digits > 0 and hex(lo, hi, one.digits) or numbers.decimal(lo, hi))
        end
        return #words > 0 and ": " .. table.concat(words, ", ") or ""
    end

    -- Check a number against its row, and tell its bits.
    local function number(row, data, at, from, order, path, sink)
        local size = row.size
        local lo, hi = halves(data, at, size, row.big and ">" or order)
        local offset = at - from
        sink:leaf(row, offset, size, row.big and ">" or order, lo, hi)
        if row.must then
            local must_lo, must_hi = halves(row.must, 1, size, "<")
            if must_lo ~= lo or must_hi ~= hi then
                sink:problem(must_lo + must_hi == 0 and "reserved" or "value", path, offset,
                    format("%s is %s, must be %s", path, hex(lo, hi), hex(must_lo, must_hi)), lo, must_lo)
            end
        end
        for _, part in ipairs(row.bits or {}) do
            local low, high = numbers.bits(lo, hi, part.low, part.width)
            sink:bits(part, offset, size, row.big and ">" or order, low, high)
            if part.must and (part.must ~= low or high ~= 0) then
                sink:problem("reserved", path .. "." .. part.name, offset,
                    format("%s.%s is %s, must be %s", path, part.name, hex(low, high), hex(part.must, 0)))
            elseif part.values and not enumerations[part.values].names[low] and not enumerations[part.values].open then
                sink:problem("value", path .. "." .. part.name, offset,
                    format("%s.%s is %s", path, part.name, meaning_text(enumerations[part.values], low)))
            end
        end
        local value = hi * 4294967296 + lo
        if row.values then
            local enumeration = enumerations[row.values]
            if not enumeration.names[value] and not enumeration.open then
                sink:problem("value", path, offset,
                    format("%s is %s, known are %s", path, meaning_text(enumeration, lo, hi), enumeration.known), value,
                    enumeration.known)
            end
        elseif row.flags then
            local unknown_lo = lo - numbers.band(lo, row.known_lo)
            local unknown_hi = hi - numbers.band(hi, row.known_hi)
            if unknown_lo + unknown_hi > 0 then
                sink:problem("reserved", path, offset,
                    format("%s has bits set that mean nothing: %s", path, hex(unknown_lo, unknown_hi)))
            end
        end
        return value
    end

    local function wanted_bytes(row, at, stop, values)
        if row.size then
            return row.size
        elseif type(row.count) == "string" then
            return values[row.count] or 0
        end
        return stop - at
    end

    local function check_strings(data, at, size, from, path, sink)
        if size == 0 then
            return
        end
        local bytes = sub(data, at, at + size - 1)
        local _, count = bytes:gsub("\0", "")
        if bytes:byte(-1) ~= 0 then
            sink:problem("value", path, at - from + size - 1, path .. " does not end in a NUL")
            count = count + 1
        end
        if count % 2 == 1 then
            sink:problem("count", path, at - from, format("%s has a key without a value: %s", path, numbers.count(count, "string")))
        end
    end

    local function octets(row, data, at, stop, from, path, sink, values)
        local size = wanted_bytes(row, at, stop, values)
        local here = size < stop - at and size or stop - at
        local complete = here == size and size >= row.minimum
        if row.kind == "strings" then
            sink:open(row, at - from, here)
            local position = at
            while position < at + here do
                local nul = data:find("\0", position, true)
                local after = nul and nul < at + here and nul + 1 or at + here
                sink:leaf(row, position - from, after - position, "")
                position = after
            end
            sink:close()
            check_strings(data, at, here, from, path, sink)
        elseif here > 0 then
            sink:leaf(row, at - from, here, "")
        end
        if row.must and complete and sub(data, at, at + here - 1) ~= row.must then
            sink:problem(row.must:find("[^\0]") and "value" or "reserved", path, at - from,
                format("%s is %s, must be %s", path, numbers.dump(sub(data, at, at + here - 1), 32),
                    numbers.dump(row.must, 32)))
        end
        return at + here, complete
    end

    local function array(row, data, at, stop, order, from, path, sink, values)
        local item = row.item
        local room = floor((stop - at) / item.size)
        local wanted = room
        if type(row.count) == "number" then
            wanted = row.count
        elseif row.count then
            wanted = values[row.count] or 0
        else
            local left = stop - at - room * item.size
            if left > 0 then
                stop = stop - left
                sink:problem("length", path, stop - from,
                    format("%s: %s left over after %d of %d each", path, numbers.count(left, "byte"), room, item.size))
            end
        end
        local here = wanted < room and wanted or room
        if here < row.minimum and here == wanted then
            sink:problem("count", path, at - from,
                format("%s holds %d, the least is %d", path, here, row.minimum))
        end
        local size = here * item.size
        if here > 0 and sink:array(row, at - from, size, here) then
            for index = 0, here - 1 do
                local begins = at + index * item.size
                local where = format("%s[%d]", path, index)
                if item.rows then
                    sink:open(row, begins - from, item.size,
                    format("%s[%d]%s", row.name, index, told_by(item, data, begins, order)))
                    decode_struct(item.rows, data, begins, at + size, order, from, where .. ".", sink, item)
                    sink:close()
                else
                    number(item, data, begins, from, order, where, sink)
                end
            end
            sink:close()
        end
        return here == wanted and at + size or stop, here == wanted
    end

    local function chain_entry(row, data, at, stop, behind, order, from, where, sink, known)
        decode_struct(row.item.rows, data, at, stop, order, from, where .. ".", sink, row.item)
        if known then
            local size = behind.stop - behind.at
            -- Its problems are told by the names of its own fields; the sink knows where those are.
            local around = sink.inside
            sink.inside = where
            structs.decode(known.layouts and known.layouts[size] or known, data, behind.at, behind.stop, order, from, sink)
            sink.inside = around
        elseif behind.stop > behind.at then
            sink:leaf(row.data, behind.at - from, behind.stop - behind.at, "")
        end
    end

    local function chain(row, data, at, stop, order, from, path, sink)
        local size = row.item.size
        local walk = chains.walk(row, data, stop, order)
        local count = 0
        sink:open(row, at - from, stop - at)
        while at + size <= stop and count < chains.MOST do
            local where = format("%s[%d]", path, count)
            local kind, length = walk:head(at)
            local behind = at + size
            local ends, following, searched = walk:next(at)
            local known = row.entries[kind]
            sink:open(row, at - from, ends - at, format("%s[%d]: %s%s", row.name, count, known and known.name or "unknown",
                (told_by(row.item, data, at, order):gsub("^:", ","))))
            if searched then
                local wrong = kind == 0 and "ends the chain too early"
                    or format("announces %s, behind which nothing known begins", numbers.count(length, "byte"))
                sink:problem("length", where, at - from,
                    format("%s %s; the chain is picked up again %s on, at %d", where, wrong,
                        numbers.count(following - behind, "byte"), following - from))
            elseif ends - behind < length then
                sink:problem("length", where, at - from,
                    format("%s announces %s, left: %d", where, numbers.count(length, "byte"), ends - behind))
            end
            chain_entry(row, data, at, stop, { at = behind, stop = ends }, order, from, where, sink, known)
            sink:close()
            count = count + 1
            at = following
            if kind == 0 and not searched then
                sink:close()
                return at, true
            end
        end
        local message
        if count == chains.MOST then
            message = format("%s has more than %d entries: %s left undecoded", path, chains.MOST,
                numbers.count(stop - at, "byte"))
        elseif at < stop then
            message = format("%s: %s left over, a descriptor has %d", path, numbers.count(stop - at, "byte"), size)
        else
            message = path .. " ends without the entry of type 0 that ends it"
        end
        sink:problem("length", path, at - from, message)
        sink:close()
        return stop, true
    end

    local function field(row, data, at, stop, order, from, path, sink, values)
        local kind = row.kind
        if definitions.scalars[kind] then
            if at + row.size > stop then
                return at, false
            end
            values[row.name] = number(row, data, at, from, order, path, sink)
            return at + row.size, true
        elseif kind == "octets" or kind == "text" or kind == "strings" then
            return octets(row, data, at, stop, from, path, sink, values)
        elseif kind == "struct" then
            local nested = row.item
            if nested.size and at + nested.size > stop then
                return at, false
            end
            sink:open(row, at - from, nested.size or stop - at, row.name)
            local after = decode_struct(nested.rows, data, at, stop, order, from, path .. ".", sink, nested)
            sink:close(after - at)
            return after, true
        elseif kind == "array" then
            return array(row, data, at, stop, order, from, path, sink, values)
        elseif kind == "chain" then
            return chain(row, data, at, stop, order, from, path, sink)
        end
        -- Guest memory is never decoded: what is left belongs to it.
        return stop, true
    end

    -- Whether the field of a row is there, by the number that its condition asks for.
    local function present(row, places, data, order)
        local when = row.when
        if when == nil then
            return true
        end
        local place = places[when.field]
        if place == nil or place.row.size == nil then
            return false
        end
        local lo, hi = halves(data, place.at, place.row.size, place.row.big and ">" or order)
        return numbers.band(lo, when.mask_lo) == when.equals_lo and numbers.band(hi, when.mask_hi) == when.equals_hi
    end

    function decode_struct(rows, data, at, stop, order, from, path, sink, definition)
        local begins = at
        local values, places = {}, {}
        for _, row in ipairs(rows) do
            if present(row, places, data, order) then
                places[row.name] = { at = at, row = row }
                local complete
                at, complete = field(row, data, at, stop, order, from, path .. row.name, sink, values)
                if not complete then
                    if not (definition.lengths and at == stop) then
                        local actual = stop - begins
                        if definition.size then
                            sink:problem("length", path:sub(1, -2), begins - from,
                                format("%s long, %s needs %d", numbers.count(actual, "byte"), definition.name, definition.size))
                        else
                            sink:problem("length", path .. row.name, at - from,
                                format("%s long, ends inside %s%s", numbers.count(actual, "byte"), path, row.name))
                        end
                    end
                    return stop, true
                end
            end
        end
        return at, false
    end

    local least, short = definitions.guest_state.least, {}
    for _, kind in ipairs(definitions.body_rules.zero_content) do
        short[kind] = true
    end

    -- The closest definition of the body of a record: for some it depends on the width of the guest's words.
    function structs.body(record)
        local closest = definitions.closest[record.layer][record.type]
        if record.layer == "libxc" and short[record.type] and record.length and record.length <= least then
            -- Nothing of what the closest definition defines is there: the layer's own says what is missing.
            closest = nil
        end
        if closest then
            if not closest.by then
                return closest.choices[0]
            elseif closest.choices[record.guest_width or 0] then
                return closest.choices[record.guest_width]
            end
            local fitting, count
            for _, one in pairs(closest.choices) do
                if chains.accepts(one.accepts, record.length) then
                    fitting, count = one, (count or 0) + 1
                end
            end
            if count == 1 then
                return fitting
            end
        end
        return definitions.records[record.layer][record.type]
    end

    -- Decode bytes `at` to `stop` (the index behind the last) as `definition`, telling `sink`; offsets are told from `from`.
    function structs.decode(definition, data, at, stop, order, from, sink)
        local after, ended = decode_struct(definition.rows, data, at, stop, order, from, "", sink, definition)
        if after < stop then
            sink:problem("length", "", after - from,
                format("%s more, where %s should end after %d", numbers.count(stop - after, "byte"), definition.name,
                    after - at))
        elseif definition.lengths and not definition.lengths[stop - at] then
            sink:problem("length", "", at - from,
                format("%s long, known are %s", numbers.count(stop - at, "byte"), definition.known_lengths))
        end
        return ended
    end
end
