-- Numbers in strings of bytes. No operator or library is used that Lua 5.2 or 5.4 lacks; numbers above 2^53 are kept as
-- two halves of 32 bits, because Lua 5.2 has no integers.
local numbers = {}
do
    local byte, format, floor = string.byte, string.format, math.floor

    function numbers.u16(data, at, order)
        local a, b = byte(data, at, at + 1)
        if order == ">" then
            return a * 256 + b
        end
        return b * 256 + a
    end

    function numbers.u32(data, at, order)
        local a, b, c, d = byte(data, at, at + 3)
        if order == ">" then
            return ((a * 256 + b) * 256 + c) * 256 + d
        end
        return ((d * 256 + c) * 256 + b) * 256 + a
    end
    local u32 = numbers.u32

    -- The low and the high half of a number of 1, 2, 4 or 8 bytes.
    function numbers.halves(data, at, size, order)
        if size == 8 then
            if order == ">" then
                return u32(data, at + 4, order), u32(data, at, order)
            end
            return u32(data, at, order), u32(data, at + 4, order)
        elseif size == 4 then
            return u32(data, at, order), 0
        elseif size == 2 then
            return numbers.u16(data, at, order), 0
        end
        return byte(data, at), 0
    end

    -- The bits that two numbers below 2^32 have in common.
    function numbers.band(a, b)
        local result, bit = 0, 1
        while a > 0 and b > 0 do
            local odd_a, odd_b = a % 2, b % 2
            if odd_a == 1 and odd_b == 1 then
                result = result + bit
            end
            a, b, bit = (a - odd_a) / 2, (b - odd_b) / 2, bit * 2
        end
        return result
    end

    -- `width` bits from bit `low` on of the number with these halves, as halves.
    function numbers.bits(lo, hi, low, width)
        if low >= 32 then
            lo, hi, low = hi, 0, low - 32
        end
        local down = 2 ^ low
        lo = floor(lo / down) + (hi % down) * (2 ^ (32 - low))
        hi = floor(hi / down)
        if width <= 32 then
            return lo % (2 ^ width), 0
        end
        return lo, hi % (2 ^ (width - 32))
    end

    -- In hexadecimal with at least `digits` digits, and "0x" in front.
    function numbers.hex(lo, hi, digits)
        digits = digits or 1
        if hi > 0 then
            local upper = format("%x", hi)
            local lead = digits - 8 - #upper
            return "0x" .. (lead > 0 and ("0"):rep(lead) or "") .. upper .. format("%08x", lo)
        end
        local text = format("%x", lo)
        return "0x" .. (#text < digits and ("0"):rep(digits - #text) or "") .. text
    end

    -- A number below 2^53, for example a pfn, in hexadecimal.
    function numbers.whole_hex(number)
        return numbers.hex(number % 4294967296, floor(number / 4294967296))
    end

    -- In decimal: a number up to 2^53, or the low half of one whose high half is `hi`.
    function numbers.decimal(number, hi)
        if hi == nil or hi < 0x200000 then
            return format("%.0f", number + (hi or 0) * 4294967296)
        end
        -- The last six digits, and what is in front of them: neither step goes beyond 2^53.
        local rest = hi % 1000000 * 4294967296 + number
        local digits = rest % 1000000
        return format("%.0f%06.0f", (hi - hi % 1000000) / 1000000 * 4294967296 + (rest - digits) / 1000000, digits)
    end

    -- In decimal, with a comma in front of every three digits.
    function numbers.grouped(number)
        return (format("%.0f", number):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
    end

    -- "1 byte", "20 bytes": core/quantity.py.
    function numbers.count(number, noun)
        local plural = noun == "entry" and "entries" or noun .. "s"
        return format("%.0f %s", number, number == 1 and noun or plural)
    end

    function numbers.be(number)
        return number == 1 and "is" or "are"
    end

    -- The bytes in hexadecimal with spaces between them, at most `most` of them.
    function numbers.dump(data, most)
        return (data:sub(1, most or #data):gsub(".", function(one)
            return format("%02x ", byte(one))
        end):sub(1, -2))
    end
end
