-- Rules over the vcpus of PV guests: core/check/pv_vcpu.py.
do
    local format = string.format
    local halves, u32, hex, decimal = numbers.halves, numbers.u32, numbers.hex, numbers.decimal
    local names = definitions.record_numbers.libxc
    local facts = definitions.pv_vcpu_rules
    local subjects = guest_state.subjects

    -- Whether a 64-bit address has its upper 17 bits all alike.
    local function canonical(lo, hi)
        local upper = numbers.bits(lo, hi, facts.address_bits, 64 - facts.address_bits)
        return upper == 0 or upper == 2 ^ (64 - facts.address_bits) - 1
    end

    -- The vcpu that a record belongs to; says when the record is out of order.
    local function vcpu_of(guest, record, number)
        local kind, last = facts.kinds[record.type], guest.vcpu_count - 1
        local found = guest.vcpus[number]
        if found == nil then
            found = {}
            guest.vcpus[number] = found
        end
        local problem
        if found[kind] then
            problem = format("vcpu %.0f has a second %s", number, kind)
        elseif number < last then
            problem = format("vcpu %.0f comes after vcpu %.0f", number, last)
        elseif kind ~= facts.first and not found[facts.first] and guest.whole then
            problem = format("vcpu %.0f has %s and no %s", number, kind, facts.first)
        end
        if problem then
            rules.tell(record, "pv-vcpu-order", { problem = problem })
        end
        found[kind] = true
        guest.vcpu_count = math.max(guest.vcpu_count, number + 1)
        return found
    end

    -- The number in a field, by halves.
    local function reader(body, order)
        return function(field)
            return halves(body, 1 + field.at, field.size, order)
        end
    end

    local function teller(record, number)
        return function(rule, problem, ...)
            rules.tell(record, rule, { problem = format("vcpu %.0f: ", number) .. format(problem, ...) })
        end
    end

    local function beyond(lo, hi, most)
        return hi > 0 or lo > most
    end

    -- BASIC --------------------------------------------------------------------------------------------------------

    local function look_at_traps(tell, body, traps, order)
        for index = 0, traps.count - 1 do
            local at = 1 + traps.at + index * traps.size
            local lo, hi = halves(body, at + traps.address, 8, order)
            if not canonical(lo, hi) then
                tell("pv-vcpu-registers", "trap %s goes to %s, which is no canonical address",
                    hex(body:byte(at + traps.vector), 0), hex(lo, hi))
                return
            end
        end
    end

    local function look_at_registers(tell, body, layout, order, number)
        local base_lo, base_hi = number(layout.ldt_base)
        local lo, hi = number(layout.ldt_ents)
        if beyond(lo, hi, facts.ldt_ents_max) or base_lo % 4096 > 0 then
            tell("pv-vcpu-registers", "ldt_base is %s and ldt_ents %s: a page boundary, and at most %.0f",
                hex(base_lo, base_hi), decimal(lo, hi), facts.ldt_ents_max)
        end
        for _, field in ipairs(layout.addresses) do
            lo, hi = number(field)
            if not canonical(lo, hi) then
                tell("pv-vcpu-registers", "%s is %s, which is no canonical address", field.name, hex(lo, hi))
            end
        end
        if layout.traps then
            look_at_traps(tell, body, layout.traps, order)
        end
        for _, field in ipairs(layout.debug_registers) do
            lo, hi = number(field)
            if hi > 0 then
                tell("pv-vcpu-registers", "%s is %s: its upper half must be zero", field.name,
                    structs.flags_meaning(field.flags, lo, hi))
            end
        end
        if layout.eflags and numbers.band(number(layout.eflags), facts.eflags_vm) > 0 then
            tell("pv-vcpu-registers", "it is in virtual 8086 mode, which a 32-bit PV guest cannot be")
        end
    end

    -- The pfn of the page-table root that cr3 holds, as halves.
    local function root(width, lo, hi)
        if width == 8 then
            return numbers.bits(lo, hi, 12, 52)
        end
        return math.floor(lo / 4096) + lo % 4096 * 1048576, 0
    end

    local function look_at_frames(tell, layout, number, refer)
        local lo, hi = number(layout.gdt_ents)
        local most, many = facts.gdt_ents_max, beyond(lo, hi, facts.gdt_ents_max)
        local first, size = layout.gdt_frames.at, layout.gdt_frames.size
        for index = 0, math.ceil((many and most or lo) / facts.gdt_ents_per_frame) - 1 do
            refer(format("frame %.0f of the descriptor table", index), 0, number({ at = first + size * index, size = size }))
        end
        if many then
            tell("pv-vcpu-gdt", "gdt_ents is %s: %.0f at most", decimal(lo, hi), most)
        end
    end

    local function look_at_roots(tell, layout, number, in_kernel, refer)
        refer("the page-table root", layout.levels, root(layout.width, number(layout.cr3)))
        if layout.cr1 == nil then
            return
        end
        local lo, hi = number(layout.cr1)
        if lo % 2 == 1 then
            refer("the page-table root of user mode", layout.levels, numbers.bits(lo, hi, 12, 52))
        end
        if lo + hi > 0 and lo % 4096 ~= 1 then
            tell("pv-vcpu-cr1", "cr1 is %s: it is 0, or a pfn with bit 0 set", hex(lo, hi))
        end
        if lo + hi == 0 and not in_kernel then
            tell("pv-vcpu-registers", "it runs user mode without a page-table root for it")
        end
    end

    subjects[names.X86_PV_VCPU_BASIC] = function(guest, record, body, order, vcpu)
        local layout, id = facts.layouts[#body], u32(body, 1, order)
        if layout == nil or guest.width and guest.width ~= layout.width then
            return
        end
        local tell, number, last = teller(record, id), reader(body, order), guest.end_pfn
        local lo, hi = number(layout.flags)
        local function is(flag)
            return numbers.band(lo, flag) > 0
        end
        vcpu.fpu = is(facts.i387_valid) and body:sub(1 + facts.context_at, facts.context_at + facts.legacy) or nil

        -- Whether the guest has the page that it refers to, and of that level; says when it has not.
        local function refer(what, level, pfn_lo, pfn_hi)
            if last and beyond(pfn_lo, pfn_hi, last) then
                tell("pv-vcpu-pfn", "%s is pfn %s, the last pfn of the guest is %s", what, hex(pfn_lo, pfn_hi), hex(last, 0))
                return false
            end
            return pv_page_rules.look(guest, tell, what, pfn_lo, pfn_hi, level)
        end
        look_at_roots(tell, layout, number, is(facts.in_kernel), refer)
        look_at_frames(tell, layout, number, refer)
        if id == 0 then
            local start = number(layout.start_info)
            if refer("the start_info page", 0, number(layout.start_info)) and guest.pages then
                guest.pages:check_start_info(record, start)
            end
        end
        look_at_registers(tell, body, layout, order, number)
        if not is(facts.online) then
            tell("pv-vcpu-flags", "flags are %s: vcpus that are not online are not saved",
                structs.flags_meaning(layout.flags.flags, lo, hi))
        end
    end

    -- EXTENDED -----------------------------------------------------------------------------------------------------

    subjects[names.X86_PV_VCPU_EXTENDED] = function(guest, record, body, order)
        local layout, id = facts.extended, u32(body, 1, order)
        local tell, number = teller(record, id), reader(body, order)
        local function there(field)
            return field.at + field.size <= #body
        end
        if there(layout.vcpu) and number(layout.vcpu) ~= id then
            tell("pv-vcpu-extended-id", "the context inside is of vcpu %.0f", (number(layout.vcpu)))
        end
        if not there(layout.struct_size) then
            return
        end
        local size, content = number(layout.struct_size), #body - facts.context_at
        if size < layout.least then
            tell("pv-vcpu-extended", "size is %.0f: a receiver wants %.0f", size, layout.least)
        elseif size ~= content and not guest.converted then
            tell("pv-vcpu-extended-size", "size is %.0f, the record holds %s", size, numbers.count(content, "byte"))
        end
        for _, field in ipairs(layout.entry_points) do
            if there(field) and not canonical(number(field)) then
                tell("pv-vcpu-extended", "%s is %s, which is no canonical address", field.name, hex(number(field)))
            end
        end
    end

    -- XSAVE --------------------------------------------------------------------------------------------------------

    local look_at_area = subjects[names.X86_PV_VCPU_XSAVE]
    subjects[names.X86_PV_VCPU_XSAVE] = function(guest, record, body, order, vcpu)
        local area = facts.area_at
        if look_at_area(guest, record, body, order) and vcpu.fpu and #body > area
            and body:sub(1 + area, area + facts.legacy) ~= vcpu.fpu then
            teller(record, u32(body, 1, order))("pv-vcpu-fpu", "fpu_ctxt of BASIC differs from the legacy region of XSAVE")
        end
    end

    -- All of them --------------------------------------------------------------------------------------------------

    for kind in pairs(facts.kinds) do
        local look = subjects[kind]
        subjects[kind] = function(guest, record, body, order)
            look(guest, record, body, order, vcpu_of(guest, record, u32(body, 1, order)))
        end
    end

    guest_state.completions[#guest_state.completions + 1] = function(guest, record)
        local first = guest.vcpus[0]
        if guest.hvm == false and (guest.vcpu_count > 0 or record.type == names.END) then
            if guest.whole and not (first and first[facts.first]) then
                rules.tell(record, "pv-vcpu-missing", { problem = "there is no X86_PV_VCPU_BASIC of vcpu 0" })
            end
            pv_page_rules.complete(guest, record)
        end
    end
end
