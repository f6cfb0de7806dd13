-- The array of pfns and page types.
local check = dofile(arg[2] .. "/check.lua")
local pages = check.parser.pages

local words = check.word(5) .. check.word(6, 15) .. check.word(0x123456789, 1) .. check.word(0x123456790, 9)
local found = pages.look(words, "<")
check.equal(found.count, 4, "entries")
check.equal(found.with_data, 3, "entries with a page")
check.equal(found.first, 5, "first pfn")
check.equal(found.last, 0x123456790, "last pfn")
check.equal(found.types[15], 1, "holes")
check.equal(found.bad, 0, "no bad entry")
check.equal(pages.ascending(words, "<"), true, "ascending")
check.equal(pages.ascending(words .. words, "<"), false, "not ascending")

local entries = pages.with_data(words, "<")
check.equal(entries[0], 0, "first page")
check.equal(entries[1], 2, "second page")
check.equal(entries[3], nil, "no fourth page")

found = pages.look(words:reverse(), ">")
check.equal(found.first, 0x123456790, "big endian")
check.equal(found.with_data, 3, "big endian, entries with a page")

found = pages.look(check.word(1) .. check.word(2, 6) .. "\0\0\0\0\0\0\16\0", "<")
check.equal(found.bad, 2, "an invalid type and a reserved bit")
check.equal(found.first_bad["page-data-type"].index, 1, "the first entry of an invalid type")
check.equal(found.first_bad["page-data-type"].type, 6, "its type")
check.equal(found.first_bad["page-data-pfn-reserved"].index, 2, "the first entry with a reserved bit")
check.equal(pages.look("", "<").first, -1, "an empty array")
check.done()
