-- JSON as Python's json reads it, for what a configuration says of the guest: objects are tables, texts strings, and numbers
-- tables with their `digits`; of whatever else there is nothing is kept but that it is there.
local json = {}
do
    local find, sub = string.find, string.sub
    -- Nesting beyond which nobody looks: real configurations have less than ten levels.
    local DEPTH_MAX = 100
    local ESCAPED = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
    local LITERALS = { "true", "false", "null", "NaN", "Infinity", "-Infinity" }
    local value

    local function blanks(text, at)
        local _, last = find(text, "^[ \t\n\r]*", at)
        return last + 1
    end

    -- The text that begins with the quote at `at`, and the index behind it; nil where it is none.
    local function string_at(text, at)
        local parts = {}
        at = at + 1
        while true do
            local _, last = find(text, '^[^\0-\31"\\]*', at)
            parts[#parts + 1] = sub(text, at, last)
            local stop = sub(text, last + 1, last + 1)
            if stop == '"' then
                return table.concat(parts), last + 2
            elseif stop ~= "\\" then
                return nil
            else
                local escaped = sub(text, last + 2, last + 2)
                local number = escaped == "u" and text:match("^%x%x%x%x", last + 3)
                if number then
                    -- What is not ASCII is in no word that is asked for.
                    local code = tonumber(number, 16)
                    parts[#parts + 1], at = code < 128 and string.char(code) or "\255", last + 7
                elseif ESCAPED[escaped] then
                    parts[#parts + 1], at = ESCAPED[escaped], last + 3
                else
                    return nil
                end
            end
        end
    end

    -- What stands between brackets, item by item: `item` reads one and returns the index behind it, or nil.
    local function listed(text, at, close, item)
        at = blanks(text, at + 1)
        if sub(text, at, at) == close then
            return at + 1
        end
        while true do
            at = item(at)
            if at == nil then
                return nil
            end
            at = blanks(text, at)
            local mark = sub(text, at, at)
            if mark == close then
                return at + 1
            elseif mark ~= "," then
                return nil
            end
            at = blanks(text, at + 1)
        end
    end

    local function object(text, at, depth)
        local fields = {}
        return fields, listed(text, at, "}", function(from)
            if sub(text, from, from) ~= '"' then
                return nil
            end
            local name, after = string_at(text, from)
            after = name and blanks(text, after)
            if after == nil or sub(text, after, after) ~= ":" then
                return nil
            end
            local found
            found, after = value(text, blanks(text, after + 1), depth)
            fields[name] = found
            return after
        end)
    end

    local function number_at(text, at)
        local _, last = find(text, "^-?0", at)
        if last == nil then
            _, last = find(text, "^-?[1-9]%d*", at)
        end
        if last == nil then
            return nil
        end
        local _, fraction = find(text, "^%.%d+", last + 1)
        local _, exponent = find(text, "^[eE][+-]?%d+", (fraction or last) + 1)
        local whole = not (fraction or exponent)
        return { digits = whole and sub(text, at, last) or nil }, (exponent or fraction or last) + 1
    end

    -- The value that begins at `at`, and the index behind it; the index is nil where there is none.
    function value(text, at, depth)
        if depth > DEPTH_MAX then
            error(json)
        end
        local mark = sub(text, at, at)
        if mark == "{" then
            return object(text, at, depth + 1)
        elseif mark == "[" then
            return true, listed(text, at, "]", function(from)
                local _, after = value(text, from, depth + 1)
                return after
            end)
        elseif mark == '"' then
            return string_at(text, at)
        end
        for _, word in ipairs(LITERALS) do
            if sub(text, at, at + #word - 1) == word then
                return true, at + #word
            end
        end
        return number_at(text, at)
    end

    -- The object that `text` is: a table of its fields. nil when it is none, and false when it is nested too deep to know.
    function json.object(text)
        local begins = blanks(text, 1)
        if sub(text, begins, begins) ~= "{" then
            return nil
        end
        local fine, found, after = pcall(value, text, begins, 0)
        if not fine then
            return false
        end
        return after and blanks(text, after) > #text and found or nil
    end
end
