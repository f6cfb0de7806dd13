-- Numbers in strings of bytes.
local check = dofile(arg[2] .. "/check.lua")
local numbers = check.parser.numbers

check.equal(numbers.u32("\1\2\3\4", 1, "<"), 67305985, "little endian")
check.equal(numbers.u32("\1\2\3\4", 1, ">"), 16909060, "big endian")
check.equal(numbers.u16("\255\0\1", 2, ">"), 1, "16 bits at an index")
local lo, hi = numbers.halves("\1\0\0\0\2\0\0\128", 1, 8, "<")
check.equal(lo, 1, "low half")
check.equal(hi, 2147483650, "high half")
lo, hi = numbers.halves("\255", 1, 1, "<")
check.equal(lo, 255, "a byte")
check.equal(hi, 0, "which has no high half")

check.equal(numbers.band(4294967295, 2147483650), 2147483650, "all bits")
check.equal(numbers.band(10, 6), 2, "one bit")
check.equal(numbers.band(0, 6), 0, "no bit")

local function bits(low_half, high_half, low, width)
    local one, other = numbers.bits(low_half, high_half, low, width)
    return numbers.hex(one, other)
end
check.equal(bits(0x89abcdef, 0xf0123456, 60, 4), "0xf", "type of a page")
check.equal(bits(0x89abcdef, 0xf0123456, 0, 52), "0x2345689abcdef", "pfn")
check.equal(bits(0x89abcdef, 0xf0123456, 52, 8), "0x1", "reserved bits")
check.equal(bits(0x80000000, 1, 31, 2), "0x3", "bits in both halves")

check.equal(numbers.hex(255, 0, 8), "0x000000ff", "digits")
check.equal(numbers.hex(1, 15, 16), "0x0000000f00000001", "digits of two halves")
check.equal(numbers.hex(1, 15), "0xf00000001", "as many digits as there are")
check.equal(numbers.decimal(2 ^ 52), "4503599627370496", "no exponent")
check.equal(numbers.dump("\0\16\255", 2), "00 10", "bytes")
check.done()
