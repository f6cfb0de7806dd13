-- Which pages of the guest have come, and of what types.
local check = dofile(arg[2] .. "/check.lua")
local pages, population = check.parser.pages, check.parser.population
local XTAB, L1, PINNED_L4 = 15, 1, 12

-- An array of pfns from `first` to `last`; of the type that `of` has, or else an ordinary one.
local function array(first, last, of)
    local words = {}
    for pfn = first, last do
        words[#words + 1] = check.word(pfn, of and of[pfn])
    end
    return table.concat(words)
end

local function take(guest, words, order)
    guest:take(words, pages.look(words, order or "<"), order or "<")
end

local guest = population.new(true)
check.equal(guest:count(), 0, "nothing has come")
check.equal(guest:populated(0), false, "no page")
check.equal(guest:type(0), 0, "the type of a page that never came")
take(guest, array(0, 1023))
take(guest, array(1024, 2047, { [1030] = PINNED_L4, [1031] = L1, [1032] = XTAB }))
check.equal(guest:count(), 2048, "two batches")
check.equal(#guest.rows, 2, "a row of ordinary pages, and one of several types")
for start = 2048, 1024 * 4096, 1024 do
    take(guest, array(start, start + 1023))
end
check.equal(#guest.rows, 3, "ordinary pages that follow one another are one row")
check.equal(guest:count(), 1024 * 4097, "16 GiB")
check.equal(guest:populated(1032), false, "a page that never came with data")
check.equal(guest:type(1032), XTAB, "its type")
check.equal(guest:ordinary({ 0, 1029, 2048 }), true, "ordinary pages")
check.equal(guest:ordinary({ 0, 1030 }), false, "a page table among them")
check.equal(guest:ordinary({ 1032 }), false, "a page that never came is no ordinary one")
check.equal(guest:ordinary({}), true, "none of none")
check.equal(guest:has(PINNED_L4), true, "a root that is pinned")
check.equal(guest:has(2), false, "a type that none has")

take(guest, check.word(7, XTAB) .. check.word(1030) .. check.word(1032) .. check.word(5000, L1) .. check.word(5000))
check.equal(#guest.later, 3, "a later pass is put aside")
check.equal(guest:populated(7), true, "a page that came once has come")
check.equal(#guest.later, 3, "for which no later pass is looked at")
check.equal(guest:populated(1032), true, "a page that comes with data later")
check.equal(#guest.later, 0, "for which it is")
check.equal(guest:type(7), XTAB, "its last type")
check.equal(guest:type(1030), 0, "the last type counts")
check.equal(guest:type(5000), 0, "the last of one batch, too")
check.equal(guest:has(PINNED_L4), false, "the root is none any more")
check.equal(guest:has(L1), true, "a type that the first pass brought")

take(guest, array(1024 * 4097, 1024 * 4097 + 9))
check.equal(guest:count(), 1024 * 4097 + 10, "pages behind the end, in a row")
take(guest, check.word(3) .. check.word(1024 * 4097 + 10, L1))
check.equal(guest:type(1024 * 4097 + 10), L1, "the next page behind the end, after another")
take(guest, check.word(3) .. check.word(1024 * 4097 + 12))
check.equal(guest.whole, false, "a page farther behind: something is missing")

guest = population.new(true)
take(guest, array(0, 9, { [3] = L1 }):reverse(), "<")
check.equal(guest.whole, false, "nonsense")
guest = population.new(true)
local words = array(0, 9, { [3] = L1 }):gsub("........", string.reverse)
take(guest, words, ">")
check.equal(guest:type(3), L1, "big endian")
check.equal(guest:type(2), 0, "big endian, another")
guest:lose()
check.equal(guest.whole, false, "lost")
take(guest, array(0, 9))
check.equal(guest.whole, false, "lost for good")
check.done()
