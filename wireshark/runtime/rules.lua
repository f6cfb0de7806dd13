-- The rules of core/check: what breaks one is kept with the element that breaks it, in the order of the stream, so that it is
-- shown with it whenever that is looked at. Ids, severities and words are generated from core/check/rules.py.
local rules = {}
do
    local format = string.format

    -- A record as the core names it: number first, name second.
    function rules.name(layer, kind)
        local body = definitions.records[layer][kind]
        local name = body and body.name or kind >= definitions.optional and "unknown, optional" or "unknown"
        return format("0x%08x (%s)", kind, name)
    end

    -- Whatever an element is, as the messages of rules name it.
    function rules.what(element)
        if element.kind == "record" then
            return rules.name(element.layer, element.type)
        elseif element.layer == "xl" or element.layer == "libvirt" then
            return format("%s %s", element.layer, definitions.structs[element.key].name)
        end
        return definitions.header_names[element.key]
    end

    -- The rule's message with the names in braces filled in from `values`.
    function rules.message(id, values)
        return (definitions.rules[id].message:gsub("{([%w_]+):?([%w]*)}", function(name, how)
            local value = values[name]
            if value == nil then
                return "?"
            elseif #how > 1 and how:find("^%a+$") and type(value) == "number" then
                return numbers.count(value, how)
            elseif how ~= "" and type(value) == "number" then
                return format("%" .. how, value)
            elseif type(value) == "number" then
                return numbers.decimal(value)
            end
            return value
        end))
    end

    -- Keep that an element breaks a rule; `values` fill its message. What is known of an earlier element, `about`, with this
    -- one only is shown here, because the frame that shows the other was looked at without it. Of one rule no more are kept
    -- than the core keeps: a large body has room for more than Wireshark's tree takes.
    function rules.tell(element, id, values, about)
        element.counts = element.counts or {}
        if not rules.wanted(element.counts, id) then
            return
        end
        values = values or {}
        values.what = values.what or rules.what(about or element)
        local found = element.findings
        if found == nil then
            found = {}
            element.findings = found
        end
        found[#found + 1] = { rule = id, values = values, about = about }
    end

    -- Count another finding of a rule in `counts`; whether it is one of those that are kept.
    function rules.wanted(counts, id)
        counts[id] = (counts[id] or 0) + 1
        return counts[id] <= definitions.most_findings
    end

    -- Bytes from a stream as text that is safe to show, as Python's ascii() writes it.
    function rules.quoted(data, most)
        local quote = data:find("'", 1, true) and not data:find('"', 1, true) and '"' or "'"
        local short = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\" }
        return quote .. data:sub(1, most):gsub(".", function(one)
            local byte = one:byte()
            if short[one] then
                return short[one]
            elseif one == quote then
                return "\\" .. one
            elseif byte < 32 or byte > 126 then
                return format("\\x%02x", byte)
            end
            return one
        end) .. quote
    end
end
