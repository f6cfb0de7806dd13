-- Rules over xl's configuration in front of a stream, and what the stream itself says of the guest:
-- core/check/guest_configuration.py.
local configuration_rules = {}
do
    local facts = definitions.configuration_rules
    local tell = rules.tell
    -- Types of guest by name: whether the domain header calls them HVM.
    local HVM = { hvm = true, pvh = true, pv = false }
    local MOST = "18446744073709551615"
    -- Most characters of a name.
    local LONGEST = 80

    local function field(from, name)
        return type(from) == "table" and from[name] or nil
    end

    -- A number of libxl's unsigned types as its digits; nil where it is none.
    local function unsigned(found)
        local digits = type(found) == "table" and found.digits
        digits = digits == "-0" and "0" or digits
        if type(digits) ~= "string" or not digits:find("^%d+$") then
            return nil
        end
        return (#digits < #MOST or #digits == #MOST and digits <= MOST) and digits or nil
    end

    -- A text of the configuration as people may be shown it: whoever made the stream wrote it.
    local function shown(text)
        if type(text) ~= "string" or text == "" then
            return nil
        end
        return text:find("^[%g ]*$") and text:sub(1, LONGEST) or rules.quoted(text, LONGEST)
    end

    -- Read the configuration; say when it is none.
    function configuration_rules.read(guest, element, config)
        local length = #config
        while config:byte(length) == 0 do
            length = length - 1
        end
        local text = config:sub(1, length)
        local found = json.object(text)
        if found == nil then
            local problem = text == "" and "there is no configuration" or "the configuration is not a JSON object"
            tell(element, "xl-config-json", { problem = ("%s (%s)"):format(problem, facts.json) })
        elseif found then
            local create = field(found, "c_info")
            local kind = field(create, "type")
            element.guest = shown(field(create, "name"))
            guest.configuration = {
                kind = type(kind) == "string" and kind or nil,
                name = element.guest,
                uuid = shown(field(create, "uuid")),
                max_vcpus = unsigned(field(field(found, "b_info"), "max_vcpus")),
            }
        end
    end

    -- The configuration and the domain header name the same kind of guest.
    function configuration_rules.look_at_type(guest, element)
        local kind = guest.configuration and guest.configuration.kind
        if HVM[kind or ""] == not guest.hvm then
            tell(element, "config-guest-type", {
                what = "libxc " .. definitions.structs[element.key].name,
                problem = ("the configuration is of a %s guest, the domain header says %s"):format(kind,
                    guest.hvm and "x86 HVM" or "x86 PV"),
            })
        end
    end

    -- A guest with emulated devices is HVM, one without is PVH.
    function configuration_rules.look_at_devices(guest, record, emulated)
        local kind = guest.configuration and guest.configuration.kind
        if HVM[kind or ""] and (kind == "hvm") ~= emulated then
            tell(record, "config-guest-type", {
                problem = ("the configuration is of a %s guest, and %s emulated devices"):format(kind,
                    emulated and "there are" or "there are no"),
            })
        end
    end

    -- The guest on one line: kind, name, vcpus and the sender's Xen, as far as they are known; nil of an unknown one. Its uuid.
    function configuration_rules.description(guest)
        local known = guest.configuration or {}
        local kind = known.kind == "pvh" and "PVH" or guest.hvm and "HVM" or guest.hvm == false and "PV" or nil
        local parts = {}
        if kind or known.name then
            parts[1] = ("%s %s"):format(kind or "", known.name or ""):match("^%s*(.-)%s*$")
        end
        if known.max_vcpus then
            parts[#parts + 1] = numbers.count(tonumber(known.max_vcpus), "vcpu")
        end
        if guest.major > 0 then
            parts[#parts + 1] = ("from Xen %.0f.%.0f"):format(guest.major, guest.minor)
        end
        return #parts > 0 and table.concat(parts, ", ") or nil, known.uuid
    end

    -- The guest has as many vcpus as its configuration says; `exact` where all of them are saved.
    function configuration_rules.look_at_vcpus(guest, record, count, exact)
        local most = guest.configuration and guest.configuration.max_vcpus
        if most and (count > tonumber(most) or exact and count ~= tonumber(most)) then
            tell(record, "config-vcpus", {
                problem = ("there %s %s, the configuration says %s"):format(numbers.be(count), numbers.count(count, "vcpu"), most),
            })
        end
    end
end
