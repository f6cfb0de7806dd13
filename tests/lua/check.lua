-- What a test needs: arg[1] is the dissector, of which plain Lua gives the parser.
local check = { failed = 0, passed = 0 }

check.parser = dofile(arg[1])

function check.equal(found, expected, what)
    if found == expected then
        check.passed = check.passed + 1
        return
    end
    check.failed = check.failed + 1
    io.stderr:write(("%s: found %s, expected %s\n"):format(what, tostring(found), tostring(expected)))
end

-- A source of bytes as the dissector has it.
function check.source(data)
    return { raw = function(_, offset, count) return data:sub(offset + 1, offset + count) end }
end

-- A number of 4 or 8 bytes, little endian.
function check.u32(number)
    local bytes = {}
    for index = 1, 4 do
        bytes[index] = string.char(number % 256)
        number = (number - number % 256) / 256
    end
    return table.concat(bytes)
end

function check.word(pfn, kind)
    return check.u32(pfn % 4294967296) .. check.u32(math.floor(pfn / 4294967296) + (kind or 0) * 268435456)
end

function check.record(kind, body)
    return check.u32(kind) .. check.u32(#body) .. body .. ("\0"):rep(-#body % 8)
end

function check.done()
    assert(check.passed > 0, "nothing was checked")
    print(("%d checks passed, %d failed"):format(check.passed, check.failed))
    os.exit(check.failed == 0 and 0 or 1)
end

return check
