-- Rules over xl's configuration in front of a stream, and what the stream itself says of the guest:
-- core/check/guest_configuration.py.
local configuration_rules = {}
do
    local facts = definitions.configuration_rules
    local tell = rules.tell
    -- Types of guest by name: whether the domain header calls them HVM.
    local HVM = { hvm = true, pvh = true, pv = false }
    local MOST = "18446744073709551615"

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
            local kind = field(field(found, "c_info"), "type")
            guest.configuration = {
                kind = type(kind) == "string" and kind or nil,
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
