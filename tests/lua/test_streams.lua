-- A stream cut into segments of every size, and with holes.
local check = dofile(arg[2] .. "/check.lua")
local directions, streams = check.parser.directions, check.parser.streams

local image = ("\255"):rep(8) .. "XENF" .. "\0\0\0\3" .. ("\0"):rep(8)
local domain = check.u32(2) .. "\12\0\0\0" .. check.u32(4) .. check.u32(17)
local function page_data(first, count)
    local array = {}
    for index = 1, count do
        array[index] = check.word(first + index - 1)
    end
    return check.record(1, check.u32(count) .. check.u32(0) .. table.concat(array) .. ("g"):rep(4096 * count))
end
local tsc = check.record(8, check.u32(0) .. check.u32(1000) .. ("\0"):rep(16))
local stream = image .. domain .. check.record(16, "") .. page_data(0, 3) .. page_data(7, 20) .. tsc .. check.record(0, "")

local function fed(size, lost)
    local direction = streams.new({}, false)
    local frame = 0
    for at = 0, #stream - 1, size do
        local piece = stream:sub(at + 1, at + size)
        frame = frame + 1
        if not (lost and lost[frame]) then
            directions.extend(direction, at, check.source(piece), 0, #piece, frame)
        end
    end
    return direction
end

local function described(direction)
    local words = {}
    for _, one in ipairs(direction.elements) do
        words[#words + 1] = ("%s %s at %d to %.0f"):format(one.kind, tostring(one.key or one.type), one.at, one.stop)
    end
    return table.concat(words, "; ")
end

local whole = described(fed(#stream))
check.equal(select(2, whole:gsub("record", "")), 5, "records")
for _, size in ipairs({ 1, 2, 3, 7, 8, 100, 1448, 5000 }) do
    local direction = fed(size)
    check.equal(described(direction), whole, "segments of " .. size)
    check.equal(direction.over, true, "complete")
    check.equal(direction.pages, 23, "pages")
    check.equal(#direction.passes, 2, "passes over memory")
end

-- A hole in guest memory costs nothing.
check.equal(described(fed(1000, { [5] = true, [30] = true })), whole, "a hole in the pages")
-- One over a header costs that record.
local direction = fed(100, { [126] = true, [127] = true })
check.equal(described(direction):find("record 1 at 12384", 1, true) ~= nil, false, "the record in the hole")
check.equal(direction.over, true, "what follows is found again")

-- What is not looked at is not kept.
local held = 0
for _, one in ipairs(fed(1448).elements) do
    held = held + #(one.bytes or "") + #(one.words or "")
end
check.equal(held < 1000, true, "bytes kept")
check.done()
