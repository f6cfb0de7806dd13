-- One segment in the tree and in the info column. What is shown follows from the position of the segment alone.
local frames = {}
do
    local format, floor = string.format, math.floor
    local first_element = directions.first
    local PAGE = definitions.page_size
    local type_name, whole = elements.type_name, elements.show
    -- Most parts of the info column.
    local MOST_WORDS = 6

    -- The pages of which the segment from `from` to `to` holds a part: number, pfn of the first and of the last.
    local function pages_between(direction, element, from, to)
        if element.first_page == nil or from < element.first_page then
            return nil
        end
        local first = floor((from - element.first_page) / PAGE)
        local last = floor((to - 1 - element.first_page) / PAGE)
        local words = element.words
        if words == nil then
            return first, nil, last
        end
        local pfns = element.pfns
        local first_entry, last_entry = first, last
        if pfns.with_data ~= pfns.count then
            if direction.mapped ~= element then
                direction.mapped, direction.map = element, pages.with_data(words, element.order)
            end
            first_entry, last_entry = direction.map[first], direction.map[last]
        end
        if not first_entry or first_entry >= pfns.count then
            return first, nil, last
        end
        local pfn = pages.pfn(words, first_entry, element.order)
        if last_entry == first_entry or not last_entry or last_entry >= pfns.count then
            return first, pfn, last, pfn
        end
        return first, pfn, last, pages.pfn(words, last_entry, element.order)
    end

    -- The words for the pages, or for the rest of a body that is not kept, between two positions, and which pages they are.
    local function pages_words(direction, element, from, to)
        local first, pfn, last, last_pfn = pages_between(direction, element, from, to)
        if not first then
            return elements.name(element) .. " continued"
        end
        local patterns = element.patterns
        if patterns == nil then
            patterns = {
                page = format("PAGE_DATA #%d: page %%d", element.index),
                one = format("PAGE_DATA #%d: page %%d of %d, pfn 0x%%x", element.index, element.with_data),
                more = format("PAGE_DATA #%d: pages %%d-%%d of %d, pfns 0x%%x-0x%%x", element.index, element.with_data),
            }
            element.patterns = patterns
        end
        if not pfn then
            return format(patterns.page, first), first
        elseif last > first then
            return format(patterns.more, first, last, pfn, last_pfn), first, pfn, last_pfn
        end
        return format(patterns.one, first, pfn), first, pfn, last_pfn
    end

    -- Attach what was found of the pages whose last bytes stand between two positions.
    local function show_of_pages(item, element, from, to)
        local first = floor((from - element.first_page) / PAGE)
        for number = first, floor((to - element.first_page) / PAGE) - 1 do
            for _, found in ipairs(element.of_pages[number] or {}) do
                findings.add(item, found.rule, found.values)
            end
        end
    end

    local function continuation(tree, element, tvb, position, from, to, direction)
        local words, first, pfn, last_pfn = pages_words(direction, element, from, to)
        if tree then
            local range = tvb(from - position, to - from)
            local item
            if first then
                item = tree:add(fields["libxc.page_data.page"], range, first)
                item:set_text(words)
                if pfn then
                    fields.u64(item, "libxc.page_data.page.pfn", pfn)
                    fields.u64(item, "libxc.page_data.page.last_pfn", last_pfn)
                end
            else
                item = tree:add(range, words)
            end
            fields.u32(item, "record", element.index)
            fields.frame(item, "shown_in", element.last)
            if element.pass then
                fields.u32(item, "iteration", element.pass.index)
                fields.u64(item, "pages_so_far", element.pages_before + (first or 0))
            end
            fields.text(item, "phase", passes.phase(element))
            fields.u64(item, "bytes_left", element.stop - to)
            if element.of_pages then
                show_of_pages(item, element, from, to)
            end
        end
        return words
    end

    -- Which bytes of an element stand between two positions.
    local function part(element, from, to)
        local first, last = from - element.at, to - element.at - 1
        return first == last and format("byte %.0f", first) or format("bytes %.0f to %.0f", first, last)
    end

    local function fragment(tree, element, tvb, position, from, to)
        local words
        if element.type and to >= element.at + definitions.record_header and to >= element.known then
            words = format("%s #%d [%s of %.0f]", type_name(element), element.index, part(element, from, to),
                element.stop - element.at)
        elseif from > element.at then
            words = format("%s [%s]", element.expect or "header", part(element, from, to))
        else
            words = format("%s [first %s]", element.expect or "header", numbers.count(to - element.at, "byte"))
        end
        if tree then
            local item = tree:add(fields["fragment"], tvb(from - position, to - from))
            item:set_text(words)
            if element.last and element.shown > to then
                fields.frame(item, "completed_in", element.last)
            end
        end
        return words
    end

    local function lost(tree, element, tvb, position, from, to)
        local words = element.instead or "position lost"
        local told = element.told and element.told > position and element.told <= position + tvb:len()
        if tree and (to > from or told) then
            local item = tree:add(tvb(from - position, to - from), format("%s: %s", words, numbers.count(to - from, "byte")))
            if told then
                findings.show(item, element)
            end
        end
        return words
    end

    local function add_words(words, more)
        local count = #words
        if more == nil or words[count] == more then
            return
        end
        if count < MOST_WORDS then
            words[count + 1] = more
        elseif count == MOST_WORDS then
            words[count + 1] = "..."
        end
    end

    -- The record of whose pages the segment holds a part and nothing else becomes the one that brief() knows.
    local function renew(direction, position, stop)
        local element = direction.elements[direction.near or 0]
        if element == nil or element.words == nil or element.first_page > position or element.stop < stop
            or element.shown > position or element.cut then
            return false
        end
        local brief = direction.brief
        brief.element, brief.stop, brief.page, brief.pages = element, element.stop, element.first_page, 0
        brief.from = element.shown > element.first_page and element.shown or element.first_page
        return true
    end

    -- The text for the column of a segment that holds nothing but pages of one record, which most do; nil for others. This is
    -- most of the work on a migration, so the last text is kept, and where its first page begins: segments of one page share it.
    function frames.brief(direction, position, size)
        local brief, stop = direction.brief, position + size
        if direction.holes[position] or (position < brief.from or stop > brief.stop) and not renew(direction, position, stop) then
            return nil
        end
        local page = brief.page
        local ahead = position - page
        if ahead < 0 or ahead >= PAGE then
            page = position - ahead % PAGE
            brief.page, brief.pages = page, 0
        end
        local behind = stop - 1 - page
        local pages_held = behind < PAGE and 1 or (behind - behind % PAGE) / PAGE + 1
        if brief.pages ~= pages_held then
            brief.pages = pages_held
            local element = brief.element
            local first = (page - element.first_page) / PAGE
            local last = first + pages_held - 1
            local patterns, row = element.patterns, element.row
            if not row or not patterns or last >= element.with_data then
                brief.words = pages_words(direction, element, position, stop)
            elseif last > first then
                brief.words = format(patterns.more, first, last, row + first, row + last)
            else
                brief.words = format(patterns.one, first, row + first)
            end
        end
        return brief.words
    end

    -- Show the segment of `size` bytes at `position`. `tree` is nil when nobody looks. Returns the text for the column.
    function frames.show(direction, position, size, tvb, tree)
        local stop = position + size
        local words = {}
        local hole = direction.holes[position]
        if hole then
            add_words(words, format("[%s missing]", numbers.count(hole, "byte")))
            if tree then
                fields.u64(tree, "missing", hole)
                findings.add(tree, "capture-hole", { actual = hole })
                fields.text(tree, "hint", holes.hint())
            end
        end
        local shown_elements = direction.elements
        local number = first_element(direction, position)
        local element = shown_elements[number]
        while element and (element.at < stop or element.shown <= stop and element.shown > position) do
            local from = element.at > position and element.at or position
            local to = element.stop < stop and element.stop or stop
            if element.told and element.told > stop then
                add_words(words, fragment(tree, element, tvb, position, from, stop))
                break
            elseif element.kind == "lost" or element.kind == "unrecognised" then
                local following = shown_elements[number + 1]
                if following and following.resync and following.known > stop then
                    add_words(words, lost(tree, element, tvb, position, from, stop))
                    break
                end
                add_words(words, lost(tree, element, tvb, position, from, to))
            elseif element.known > stop then
                if direction.searched and element.at < direction.searched and element.expect == "position lost" then
                    add_words(words, lost(tree, element, tvb, position, from, stop))
                else
                    add_words(words, fragment(tree, element, tvb, position, from, stop))
                end
                break
            else
                if element.shown > position and element.shown <= stop then
                    local shown = whole(tree, element, tvb, position, direction)
                    add_words(words, shown)
                    local after = element.whole > position and element.whole or position
                    if shown == nil and to > from then
                        add_words(words, fragment(tree, element, tvb, position, from, to))
                    elseif element.first_page and to > after and after >= element.first_page then
                        continuation(tree, element, tvb, position, after, to, direction)
                    end
                elseif element.shown <= position then
                    if to > from then
                        add_words(words, continuation(tree, element, tvb, position, from, to, direction))
                    end
                elseif to > from then
                    add_words(words, fragment(tree, element, tvb, position, from, to))
                end
            end
            number = number + 1
            element = shown_elements[number]
        end
        return table.concat(words, ", ")
    end
end
