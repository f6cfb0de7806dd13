-- The states of a decoder of the guest's stream, as in core/decode/: each is a function that takes a buffer, consumes the
-- units that are complete in it and returns how far it came; `need` then says how many bytes the next unit takes.
local states = {}
do
    local huge, sub = math.huge, string.sub
    local take, settle, refuse = directions.take, directions.settle, directions.refuse
    local sizes = definitions.header_sizes

    -- Bytes of what is not understood that findings show.
    local SHOWN = definitions.limits.data_shown

    local state = {}
    states.of = state

    local function expect(direction, function_name, need, what)
        direction.state, direction.need, direction.expect = state[function_name], need, what
    end

    local function enter(direction, layer)
        direction.layer = layer
        if layer == "libxl" then
            direction.outer = "libxl"
            expect(direction, "libxl_header", sizes.libxl, "libxl header")
        elseif layer == "libxc" then
            expect(direction, "image_header", sizes.image, "libxc image header")
        else
            expect(direction, layer .. "_header", sizes[layer], layer .. " save header")
        end
    end

    local function to_records(direction, layer)
        direction.layer = layer
        if layer == "libxc" then
            direction.checkpoint = "outside"
        end
        expect(direction, "records", definitions.record_header, "record header")
    end

    -- What `element` is can be told from the bytes in front of `position`.
    local function know(direction, element, position)
        local searched = direction.searched or 0
        element.known = position > searched and position or searched
    end

    -- Keep the bytes of an element that is complete if they came in more than one segment.
    local function keep(direction, element, buffer, at, size)
        element.last = direction.frame
        if element.at < direction.segment then
            element.bytes = sub(buffer, at, at + size - 1)
        end
    end

    -- Records may have been missed.
    local function gap(direction)
        direction.libxc:gap()
        direction.libxl:gap()
        direction.guest:gap()
    end

    -- Add what a header unit at `at` of the buffer is.
    local function header(direction, key, order, buffer, at, size)
        local position = direction.base + at - 1
        local element = take(direction, position, "header")
        element.key, element.layer, element.order = key, direction.layer, order
        element.phase = definitions.phases.preamble
        know(direction, element, position + size)
        settle(direction, element, position + size, position + size)
        keep(direction, element, buffer, at, size)
        header_rules.look(direction, element, buffer, at, size)
        return element
    end

    -- Nothing from index `at` of the buffer on can be decoded; `rule` says why, where nothing else has, `length` what was
    -- announced.
    local function give_up(direction, buffer, at, rule, length)
        local element = take(direction, direction.base + at - 1, "unrecognised")
        element.layer, element.known = direction.layer, element.at
        element.instead = rule == "trailing-data" and "bytes behind the end of the stream" or "not understood"
        if rule then
            header_rules.unrecognised(element, rule, sub(buffer, at, at + SHOWN - 1), length)
        end
        refuse(direction, element)
        gap(direction)
        element.upto, element.shown = huge, element.at + 1
        direction.state = state.ignore
        direction.skip = 2 ^ 62
        return at
    end

    -- Forget the place and look for the next plausible record, from position `at` on.
    local function lose(direction, at)
        local element = direction.lost
        if element == nil then
            element = take(direction, at, "lost")
            element.layer, element.known, element.shown, element.upto = direction.layer, at, at + 1, huge
            direction.lost = element
        end
        direction.pending, direction.open = nil, nil
        direction.skip = 0
        direction.searching = true
        expect(direction, "lost", 1, "position lost")
    end

    -- What stands at `at` is none of what must stand there, by that rule. `behind`: were it searched from there, it might be
    -- found again; `length` is what it announced.
    local function lose_at(direction, buffer, at, rule, behind, length)
        lose(direction, direction.base + at - 1)
        if rule then
            gap(direction)
            direction.lost.order = direction["order_" .. direction.layer]
            header_rules.unrecognised(direction.lost, rule, sub(buffer, at, at + SHOWN - 1), length)
            refuse(direction, direction.lost)
        end
        return state.lost(direction, buffer, behind and at + 1 or at)
    end

    function state.start(direction, buffer, at)
        local kind = recognise.layer(sub(buffer, at))
        if kind == nil then
            direction.need = #buffer - at + 2
            return at
        elseif kind == "" then
            if direction.joined then
                return lose_at(direction, buffer, at)
            elseif #buffer - at + 1 < SHOWN then
                direction.need = SHOWN
                return at
            end
            return give_up(direction, buffer, at, "start-unrecognised")
        end
        enter(direction, kind)
        return direction.state(direction, buffer, at)
    end

    function state.ignore(_, buffer)
        return #buffer + 1
    end

    states.expect = expect
    states.gap = gap
    states.enter = enter
    states.to_records = to_records
    states.know = know
    states.keep = keep
    states.header = header
    states.give_up = give_up
    states.lose = lose
    states.lose_at = lose_at
end
