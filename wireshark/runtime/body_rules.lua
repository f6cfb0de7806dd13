-- What no definition can say of a single record: core/check/bodies.py and, for PAGE_DATA, core/check/checker.py.
local body_rules = {}
do
    local sub = string.sub
    local halves, u32 = numbers.halves, numbers.u32
    local tell = rules.tell
    local facts = definitions.body_rules
    local names = definitions.record_numbers
    local PAGE = definitions.page_size
    local HEADER, HEAD, PFN = definitions.record_header, definitions.page_data_head, definitions.pfn_size
    local special = { libxl = {}, libxc = {} }

    -- Counts what the layer's own definition has to say of a body.
    local objections = { count = 0 }
    for _, call in ipairs({ "leaf", "bits", "open", "close", "array" }) do
        objections[call] = function() return true end
    end
    function objections:problem()
        self.count = self.count + 1
    end

    local function conforms(record, body)
        objections.count = 0
        structs.decode(definitions.records[record.layer][record.type], body, 1, #body + 1, record.order, 1, objections)
        return objections.count == 0
    end

    -- Which rule a problem is that decoding a body by its closest definition finds; nil where another rule says it. For
    -- HVM_CONTEXT: core/check/hvm_context.py.
    function body_rules.of_problem(record, kind, path)
        if record.layer == "libxc" and record.type == names.libxc.HVM_CONTEXT then
            if path:sub(-9) == ".typecode" then
                return "hvm-context-typecode"
            elseif path == "entries[0].magic" then
                return nil
            elseif kind == "length" and path == "" then
                return "hvm-context-tail"
            elseif kind == "length" or kind == "count" then
                return "hvm-context-chain"
            end
        end
        -- What libxl calls opaque in EMULATOR_CONTEXT is QEMU's own.
        if record.layer == "libxl" and record.type == names.libxl.EMULATOR_CONTEXT and path ~= "emulator_id"
            and path ~= "index" then
            return nil
        end
        return definitions.rule_of_problem[kind]
    end

    -- The byte order of the body that begins at index `at` of `data`. An hvm_save image is one of its own: no Xen writes big
    -- endian streams, so nobody can say in which order theirs would be.
    function body_rules.order(record, data, at)
        local usual = facts.hvm_header[1]
        if record.type == names.libxc.HVM_CONTEXT and record.layer == "libxc" and sub(data, at, at + #usual - 1) == usual then
            return "<"
        end
        return record.order
    end

    -- Look at a record of known type of which no bytes are missing.
    function body_rules.look(direction, record, body)
        local check = special[record.layer][record.type]
        if check and conforms(record, body) then
            check(direction, record, body)
        end
    end

    -- Look at a record whose body is too large to be kept.
    function body_rules.large(record)
        local definition = definitions.records[record.layer][record.type]
        local length = record.length
        if not chains.accepts(definitions.accepts[record.layer][record.type], length) then
            tell(record, "body-length",
                { problem = ("%s long, which %s cannot be"):format(numbers.count(length, "byte"), definition.name) })
        else
            tell(record, "body-not-checked", { actual = length })
        end
    end

    -- libxc --------------------------------------------------------------------------------------------------------

    special.libxc[names.libxc.X86_PV_INFO] = function(direction, record, body)
        local width, levels = body:byte(1), body:byte(2)
        if facts.pairs[width] == levels then
            direction.libxc.width = width
        else
            tell(record, "libxc-x86-pv-info-pair", { width = width, levels = levels })
        end
    end

    special.libxc[names.libxc.X86_PV_P2M_FRAMES] = function(direction, record, body)
        local first, last = u32(body, 1, record.order), u32(body, 5, record.order)
        local width = direction.libxc.width
        if first > last then
            tell(record, "libxc-p2m-frames-range", { start = first, ["end"] = last })
        elseif width then
            local per_frame = PAGE / width
            local frames = math.floor(last / per_frame) - math.floor(first / per_frame) + 1
            local expected = facts.p2m_pfns_at + PFN * frames
            if expected ~= record.length then
                tell(record, "libxc-p2m-frames-length",
                    { start = first, ["end"] = last, expected = expected, actual = record.length })
            end
        end
    end

    special.libxc[names.libxc.HVM_CONTEXT] = function(_, record, body)
        local usual, other = facts.hvm_header[1], facts.hvm_header[2]
        if sub(body, 1, #usual) ~= usual and not (record.order == ">" and sub(body, 1, #other) == other) then
            tell(record, "libxc-hvm-context-header", { actual = numbers.dump(body, #usual) })
        end
    end

    for _, kind in ipairs(facts.zero_content) do
        special.libxc[kind] = function(_, record, body)
            if #body == facts.zero_content_length then
                record.zero_content = true
                tell(record, "zero-content")
            end
        end
    end

    -- libxl --------------------------------------------------------------------------------------------------------

    local function emulator(direction, record, body)
        local index = u32(body, 5, record.order)
        if u32(body, 1, record.order) == 0 and not direction.legacy then
            tell(record, "libxl-emulator-unknown")
        end
        if index > 0 then
            tell(record, "libxl-emulator-index", { actual = index })
        end
    end

    special.libxl[names.libxl.EMULATOR_CONTEXT] = emulator

    special.libxl[names.libxl.EMULATOR_XENSTORE_DATA] = function(direction, record, body)
        emulator(direction, record, body)
        local is_key = true
        for text in sub(body, 9):gmatch("([^\0]*)\0") do
            if is_key then
                local name = text:match("^physmap/[^/]*/([^/]*)$")
                if text == "" or sub(text, 1, 1) == "/" then
                    tell(record, "libxl-xenstore-key", { actual = rules.quoted(text, definitions.limits.text_shown) })
                elseif name == nil or not facts.physmap[name] then
                    tell(record, "libxl-xenstore-physmap", { actual = rules.quoted(text, definitions.limits.text_shown) })
                end
            end
            is_key = not is_key
        end
    end

    special.libxl[names.libxl.CHECKPOINT_STATE] = function(direction, record, body)
        local state = u32(body, 1, record.order)
        if direction.role == "sender" and state ~= 0 then
            tell(record, "libxl-checkpoint-state-direction",
                { actual = structs.meaning(definitions.enumerations[facts.checkpoint_state], state) })
        end
    end

    -- PAGE_DATA ----------------------------------------------------------------------------------------------------

    -- Look at a PAGE_DATA whose pfns, or as many of them as the capture holds, are in `words`.
    function body_rules.page_data(record, words, reserved)
        local found, count = record.pfns, record.count
        local expected = HEAD - HEADER + PFN * count + PAGE * found.with_data
        if expected == record.length and count == found.count and count > 0 and found.bad == 0 and reserved == 0 then
            return
        end
        if reserved ~= 0 then
            tell(record, "reserved-not-zero",
                { problem = ("%s is %s, must be 0x0"):format(facts.page_data_reserved, numbers.hex(reserved, 0)) })
        end
        if count == 0 then
            tell(record, "page-data-empty")
        elseif expected ~= record.length and not (record.cut and found.count < count) then
            tell(record, "page-data-length",
                { count = count, pages = found.with_data, expected = expected, actual = record.length })
        end
        for _, rule in ipairs({ "page-data-pfn-reserved", "page-data-type" }) do
            local bad = found.first_bad[rule]
            if bad then
                local lo, hi = halves(words, PFN * bad.index + 1, PFN, record.order)
                tell(record, rule, {
                    index = bad.index, actual = numbers.hex(lo, hi, 16):sub(3), type = bad.type,
                    bad = found.bad, count = found.count,
                })
            end
        end
    end
end
