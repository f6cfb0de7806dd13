-- The rules of headers: core/check/framing.py.
local header_rules = {}
do
    local u32, band, format = numbers.u32, numbers.band, string.format
    local tell = rules.tell
    local facts, at_of = definitions.header_rules, definitions.header_at
    -- By key of the header: what else is asked of it.
    local special = {}

    -- Which rule a problem is that decoding a header by definition finds, and what fills its message; nil where the header
    -- would not have been taken for one.
    function header_rules.of_problem(element, kind, path, message, actual, expected)
        local values = { what = rules.what(element), problem = message, actual = actual, known = expected }
        if kind == "value" and facts.magic[path] then
            return nil
        elseif path == "version" then
            return "version-unknown", values
        elseif path == "mandatory_flags" then
            return "xl-mandatory-flags", values
        elseif element.key == "xl.optional_data" then
            return "xl-config-length", values
        end
        return definitions.rule_of_problem[kind], values
    end

    -- Look at a header of `size` bytes at `at` of the buffer that is complete.
    function header_rules.look(direction, element, buffer, at, size)
        local check = special[element.key]
        if check then
            check(direction, element, buffer, at, size)
        end
    end

    special["libxl.header"] = function(direction, element, buffer, at)
        local options = u32(buffer, at + at_of["libxl.header"].options, ">")
        direction.libxl:start()
        direction.legacy = band(options, facts.legacy) > 0
        if band(options, facts.libxl_big_endian) > 0 then
            tell(element, "big-endian")
        end
    end

    special["libxc.image_header"] = function(direction, element, buffer, at)
        local field = at_of["libxc.image_header"]
        local version = u32(buffer, at + field.version, ">")
        direction.libxc:start(version)
        direction.guest:start()
        if not definitions.libxc_order.versions[version] then
            tell(element, "version-unknown", { actual = version, known = facts.known_versions })
        end
        if band(numbers.u16(buffer, at + field.options, ">"), facts.libxc_big_endian) > 0 then
            tell(element, "big-endian")
        end
    end

    special["libxc.domain_header"] = function(direction, element, buffer, at)
        local order = element.order
        local field = at_of["libxc.domain_header"]
        local kind = u32(buffer, at + field.type, order)
        local major, minor = u32(buffer, at + field.xen_major, order), u32(buffer, at + field.xen_minor, order)
        direction.libxc:domain(element, kind, major, minor)
        direction.guest:domain(kind, major, minor)
        configuration_rules.look_at_type(direction.guest, element)
    end

    special["xl.optional_data"] = function(direction, element, buffer, at, size)
        if size < 4 then
            return
        end
        local length = u32(buffer, at, element.order)
        if length < size - 4 then
            tell(element, "xl-config-rest", { actual = size - 4 - length })
        end
        if length > 0 and length <= size - 4 and buffer:byte(at + 3 + length) ~= 0 then
            tell(element, "xl-config-unterminated", { actual = length })
        end
        if length > 0 and length <= size - 4 then
            configuration_rules.read(direction.guest, element, buffer:sub(at + 4, at + 3 + length))
        end
    end

    -- Why what stands at a place is none of what must stand there. `data` is up to 16 bytes of it; `length` what was
    -- announced, where that is the reason.
    function header_rules.unrecognised(element, rule, data, length)
        local shown = #data > 0 and numbers.dump(data, definitions.limits.data_shown) or "nothing"
        local values = { what = shown, data = shown, layer = element.layer, actual = length }
        if rule == "record-length-limit" then
            values.expected = definitions.length_limit
            if element.layer == "xl" or element.layer == "libvirt" then
                values.layer = format("%s configuration", element.layer)
            end
        elseif rule == "record-type-unknown" then
            values.what = rules.name(element.layer, u32(data, 1, element.order))
        end
        tell(element, rule, values)
    end
end
