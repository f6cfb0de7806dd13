-- Decodes bytes by a definition and prints what the sink is told. arg: dissector, key of the struct, order, hexadecimal.
local parser = dofile(arg[1])
local data = arg[4]:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end)
local sink = {}

function sink:leaf(row, offset, size)
    print(("leaf %s %s %d"):format(row.key, data:sub(offset + 1, offset + size):gsub(".", function(one)
        return ("%02x"):format(one:byte())
    end), size))
    return self
end
function sink.bits() end
function sink.open() end
function sink.close() end
function sink.array() return true end
function sink:problem(kind, _, _, message)
    print(("problem %s|%s"):format(kind, message))
    return self
end

parser.structs.decode(parser.definitions.structs[arg[2]], data, 1, #data + 1, arg[3], 1, sink)
