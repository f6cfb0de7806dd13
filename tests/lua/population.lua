-- Takes arrays of pfns and says what is known of the pages. arg: dissector. A line of input is "new", "take <order> <hexadecimal>" or
-- "ask <pfns>", which prints what is known of each, whether all are ordinary pages, how many have come, and types there are.
local parser = dofile(arg[1])
local guest
io.stdout:setvbuf("line")

local function said(value)
    return value and "1" or "0"
end

for line in io.lines() do
    local order, digits = line:match("^take (.) (%x+)$")
    if line == "new" then
        guest = parser.population.new(true)
    elseif order then
        local words = digits:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end)
        guest:take(words, parser.pages.look(words, order), order)
    elseif not guest.whole then
        print("0")
    else
        local told, pfns = {}, {}
        for pfn in line:gmatch("%d+") do
            pfns[#pfns + 1] = tonumber(pfn)
        end
        for at, pfn in ipairs(pfns) do
            told[at] = ("%s:%.0f"):format(said(guest:populated(pfn)), guest:type(pfn))
        end
        local types = {}
        for kind in pairs(parser.definitions.page_types) do
            if parser.definitions.page_types[kind].data and guest:has(kind) then
                types[#types + 1] = kind
            end
        end
        table.sort(types)
        print("1", table.concat(told, " "), said(guest:ordinary(pfns)), ("%.0f"):format(guest:count()),
            table.concat(types, " "))
    end
end
