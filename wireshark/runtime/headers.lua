-- The headers of every layer, and the configuration behind those of xl and libvirt: core/decode/headers.py.
do
    local sub = string.sub
    local u32 = numbers.u32
    local add = directions.add
    local KEPT, LIMIT = directions.KEPT, definitions.length_limit
    local sizes, at_of, facts = definitions.header_sizes, definitions.header_at, definitions.header_rules
    local state, expect, enter, to_records = states.of, states.expect, states.enter, states.to_records
    local header, give_up, lose_at = states.header, states.give_up, states.lose_at

    local function unwrap(direction, buffer, at)
        if direction.behind_wrapper then
            return give_up(direction, buffer, at, direction.behind_wrapper)
        end
        enter(direction, "libxl")
        return at
    end

    -- Go on behind a wrapper's header, at index `after`, with a configuration of `length` bytes and then what is said to follow.
    local function wrapped(direction, key, order, length, buffer, after, unknown)
        direction.order_wrapper, direction.behind_wrapper = order, unknown
        direction.wrapped, direction.wrapped_key = length, key
        if length > LIMIT then
            return give_up(direction, buffer, after, "record-length-limit", length)
        elseif length > 0 then
            expect(direction, "configuration", length < KEPT and length or KEPT, "configuration")
            return after
        end
        return unwrap(direction, buffer, after)
    end

    function state.xl_header(direction, buffer, at)
        local size = sizes.xl
        if #buffer - at + 1 < size then
            direction.need = size
            return at
        elseif sub(buffer, at, at + #definitions.magic.xl - 1) ~= definitions.magic.xl then
            return give_up(direction, buffer, at, "header-unrecognised")
        end
        local field, mark = at_of["xl.save_header"], definitions.xl_byteorder
        local order = sub(buffer, at + field.byteorder, at + field.byteorder + #mark - 1) == mark and ">" or "<"
        header(direction, "xl.save_header", order, buffer, at, size)
        local flags = u32(buffer, at + field.mandatory_flags, order)
        return wrapped(direction, "xl.optional_data", order, u32(buffer, at + field.optional_data_len, order), buffer, at + size,
            numbers.band(flags, facts.stream_v2) == 0 and "legacy-stream" or nil)
    end

    function state.libvirt_header(direction, buffer, at)
        local size = sizes.libvirt
        if #buffer - at + 1 < size then
            direction.need = size
            return at
        end
        -- The header has no mark of its byte order; a version that is small when read one way settles it.
        local field = at_of["libvirt.save_header"]
        local order = buffer:byte(at + field.version) ~= 0 and "<" or ">"
        header(direction, "libvirt.save_header", order, buffer, at, size)
        local version = u32(buffer, at + field.version, order)
        if version ~= facts.libvirt_legacy and version ~= facts.libvirt_stream_v2 then
            return give_up(direction, buffer, at + size)
        end
        return wrapped(direction, "libvirt.domain_xml", order, u32(buffer, at + field.xmlLen, order), buffer, at + size,
            version == facts.libvirt_legacy and "legacy-stream" or nil)
    end

    function state.configuration(direction, buffer, at)
        local kept = direction.wrapped < KEPT and direction.wrapped or KEPT
        if #buffer - at + 1 < kept then
            direction.need = kept
            if direction.open == nil then
                direction.open = add(direction, direction.base + at - 1, "header", "configuration")
            end
            return at
        end
        local element = header(direction, direction.wrapped_key, direction.order_wrapper, buffer, at, kept)
        element.stop = element.at + direction.wrapped
        element.upto = element.stop
        direction.skip = direction.wrapped - kept
        if direction.skip > 0 and direction.behind_wrapper then
            direction.state = state.behind_wrapper
            return at + kept
        end
        return unwrap(direction, buffer, at + kept)
    end

    function state.behind_wrapper(direction, buffer, at)
        return give_up(direction, buffer, at, direction.behind_wrapper)
    end

    -- Headers of libxl and libxc -----------------------------------------------------------------------------------

    function state.libxl_header(direction, buffer, at)
        local size = sizes.libxl
        if #buffer - at + 1 < size then
            direction.need = size
            return at
        end
        if sub(buffer, at, at + #definitions.magic.libxl - 1) ~= definitions.magic.libxl then
            return lose_at(direction, buffer, at, "header-unrecognised")
        end
        header(direction, "libxl.header", ">", buffer, at, size)
        local options = u32(buffer, at + at_of["libxl.header"].options, ">")
        direction.order_libxl = numbers.band(options, facts.libxl_big_endian) > 0 and ">" or "<"
        to_records(direction, "libxl")
        return at + size
    end

    function state.image_header(direction, buffer, at)
        local size = sizes.image
        if #buffer - at + 1 < size then
            direction.need = size
            return at
        end
        if sub(buffer, at, at + #definitions.magic.image - 1) ~= definitions.magic.image then
            return lose_at(direction, buffer, at, "header-unrecognised")
        end
        header(direction, "libxc.image_header", ">", buffer, at, size)
        local options = numbers.u16(buffer, at + at_of["libxc.image_header"].options, ">")
        direction.order_libxc = numbers.band(options, facts.libxc_big_endian) > 0 and ">" or "<"
        expect(direction, "domain_header", sizes.domain, "libxc domain header")
        return at + size
    end

    function state.domain_header(direction, buffer, at)
        local size = sizes.domain
        if #buffer - at + 1 < size then
            direction.need = size
            return at
        end
        local order = direction.order_libxc
        header(direction, "libxc.domain_header", order, buffer, at, size)
        to_records(direction, "libxc")
        return at + size
    end
end
