-- Rules over which guest memory comes, and in which order: core/check/memory.py.
local memory_rules = {}
do
    local format = string.format
    local facts = definitions.memory_rules
    local page_type = definitions.enumerations[facts.page_type]
    local tell = rules.tell
    local hex = numbers.whole_hex

    -- The lowest of the types that `of` has, or has not, as a number; nil where there is none.
    local function lowest(types, of, has)
        local found
        for kind in pairs(types) do
            if (of[kind] ~= nil) == has and (found == nil or kind < found) then
                found = kind
            end
        end
        return found
    end

    local function types(guest, record, found)
        local wrong = guest.hvm and lowest(found.types, facts.hvm_types, false)
        if wrong then
            tell(record, "page-data-type-guest",
                { problem = format("page type %s in the stream of an HVM guest", structs.meaning(page_type, wrong)) })
        end
        if found.types[facts.xalloc] and guest.major > 0 then
            tell(record, "page-data-xalloc",
                { problem = format("page type %s: no sender since Xen 4.6 writes it",
                    structs.meaning(page_type, facts.xalloc)) })
        end
        local level = guest.width == facts.narrow and lowest(found.types, facts.l4, true)
        if level then
            tell(record, "page-data-level",
                { problem = format("page type %s in the stream of a 32-bit guest, which has 3 levels",
                    structs.meaning(page_type, level)) })
        end
    end

    local function order(guest, record, words, found)
        local index = found.descends
        if index and not guest.converted then
            local pfn, before = pages.pfn(words, index, record.order), pages.pfn(words, index - 1, record.order)
            tell(record, "page-data-order",
                { problem = format("pfn %s %s: the pfns of a batch ascend", hex(pfn),
                    pfn == before and "comes twice" or "is out of order") })
        end
    end

    -- The first pass brings every pfn from 0 on, in a row; `next` is the one that comes next.
    local function pass(memory, record, found)
        local first, last = found.first, found.last
        if first < memory.next then
            -- A later pass has begun.
            memory.first_pass = false
        elseif first > memory.next or found.descends or last - first ~= found.count - 1 then
            memory.first_pass = false
            local problem
            if first > memory.next then
                problem = format("pfns %s to %s have not come: records are missing", hex(memory.next), hex(first - 1))
            else
                problem = format("pfns between %s and %s have not come", hex(first), hex(last))
            end
            tell(record, "memory-gap", { problem = problem })
        else
            memory.next = last + 1
        end
    end

    -- Which pages come was not seen for a while.
    function memory_rules.gap(guest)
        local memory = guest.memory
        if memory then
            memory.first_pass = false
            memory.population:lose()
        end
    end

    -- Look at a PAGE_DATA: its pfns as they stand in the stream, or false where those are too many, and what was found in
    -- them.
    function memory_rules.look(guest, record, words, found)
        local memory = guest.memory
        if memory == nil then
            local whole = guest.whole and not guest.converted
            memory = { next = 0, first_pass = whole, population = population.new(whole) }
            guest.memory = memory
        end
        if not words or #words > facts.most or found.bad > 0 or found.count == 0 or found.count < record.count then
            memory_rules.gap(guest)
            return
        end
        if record.count > definitions.largest_batch then
            tell(record, "page-data-batch",
                { problem = format("%.0f pfns in one batch, Xen writes at most %d", record.count, definitions.largest_batch) })
        end
        memory.population:take(words, found, record.order)
        order(guest, record, words, found)
        types(guest, record, found)
        local highest = found.highest
        if guest.end_pfn and highest > guest.end_pfn then
            tell(record, "page-data-pfn-range",
                { problem = format("pfn %s, the last pfn of the guest is %s", hex(highest), hex(guest.end_pfn)) })
        end
        if memory.first_pass then
            pass(memory, record, found)
        end
    end

    -- The guest's memory has all come: `record` is the CHECKPOINT or END behind it.
    function memory_rules.complete(guest, record)
        local memory, last = guest.memory, guest.end_pfn
        if memory and memory.first_pass and last and memory.next > 0 and memory.next ~= last + 1 then
            tell(record, "memory-gap", { problem = format("memory came up to pfn %s, the last pfn of the guest is %s",
                hex(memory.next - 1), hex(last)) })
        end
    end
end
