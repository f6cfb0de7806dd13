-- Where a segment stands, from 32-bit sequence numbers.
local check = dofile(arg[2] .. "/check.lua")
local connections = check.parser.connections

connections.reset()
local connection = connections.get(7)
check.equal(connection.id, 1, "numbered from 1")
check.equal(connections.get(7), connection, "the same connection")
local direction = connections.begin(connection, 0, "LibxlFmt", 4294967000, 10)
check.equal(direction.role, "sender", "by its first bytes")
check.equal(connections.position(direction, 4294967000, 10), 0, "the first byte")
check.equal(connections.position(direction, 100, 11), 396, "behind the wrap")
check.equal(connections.position(direction, 4294966999, 12), -1, "in front of the first byte")

-- Past 4 GiB, by way of every 512 MiB, and back again for a second look.
local position, frame = 0, 20
while position < 10 * 2 ^ 30 do
    position, frame = position + 300 * 2 ^ 20, frame + 1
    check.equal(connections.position(direction, (4294967000 + position) % 2 ^ 32, frame), position, "going on")
end
check.equal(connections.position(direction, (4294967000 + 600 * 2 ^ 20) % 2 ^ 32, 22), 600 * 2 ^ 20, "looked at again")

check.equal(connections.begin(connection, 1, "\1\2\3\4", 5, 10).role, "receiver", "opposite a sender")
check.equal(connections.begin(connections.get(8), 0, "xl m", 5, 10).role, "receiver", "by its first word")
check.done()
