-- Rules over the physical-to-machine table of PV guests and the page they share with Xen: core/check/pv_vcpu.py.
do
    local format = string.format
    local halves, hex, decimal = numbers.halves, numbers.hex, numbers.decimal
    local names = definitions.record_numbers.libxc
    local facts = definitions.pv_memory_rules
    local subjects = guest_state.subjects

    local function teller(record)
        return function(rule, problem, ...)
            rules.tell(record, rule, { problem = format(problem, ...) })
        end
    end

    -- Look at the frames in a record; returns their pfns.
    local function frames(tell, body, last, order)
        local pfns, seen, more, beyond = {}, {}, 0, false
        local at = 1 + facts.p2m_frames.p2m_pfns
        for index = 0, math.floor((#body - at + 1) / 8) - 1 do
            local frame = body:sub(at + 8 * index, at + 8 * index + 7)
            if seen[frame] then
                more = more + 1
            end
            seen[frame] = true
            local lo, hi = halves(frame, 1, 8, order)
            pfns[index + 1] = hi * 2 ^ 32 + lo
            if not beyond and (hi > 0 or lo > last) then
                beyond = true
                tell("pv-p2m-frame", "frame %.0f is pfn %s, the last pfn of the guest is %s", index, hex(lo, hi),
                    hex(last, 0))
            end
        end
        if more > 0 then
            tell("pv-p2m-shared", "%s too many: each should come once", numbers.count(more, "frame"))
        end
        return pfns
    end

    subjects[names.X86_PV_P2M_FRAMES] = function(guest, record, body, order)
        local tell, field = teller(record), facts.p2m_frames
        local first = numbers.u32(body, 1 + field.p2m_start_pfn, order)
        local last = numbers.u32(body, 1 + field.p2m_end_pfn, order)
        guest.end_pfn = guest.end_pfn and guest.end_pfn > last and guest.end_pfn or last
        if first > 0 then
            tell("pv-p2m-start", "the frames begin with pfn %s", hex(first, 0))
        end
        guest.p2m_frames = { record = record, pfns = frames(tell, body, last, order) }
    end

    subjects[names.SHARED_INFO] = function(guest, record, body, order)
        local tell, page = teller(record), facts.shared_info[guest.width]
        if page == nil or #body ~= page.size then
            return
        end
        local function number(field)
            return halves(body, 1 + field.at, field.size, order)
        end
        local lo, hi = number(page.max_pfn)
        local last = guest.end_pfn
        if last and hi == 0 and lo <= last then
            tell("pv-shared-info-max-pfn", "max_pfn is %s, and the guest has pfns up to %s", hex(lo, hi), hex(last, 0))
        end
        for _, field in ipairs(page.versions) do
            lo, hi = number(field)
            if lo % 2 == 1 then
                tell("pv-shared-info-unstable", "%s is %s: odd, as while it is being changed", field.name, decimal(lo, hi))
            end
        end
        for vcpu = 0, page.vcpus - 1 do
            lo = numbers.u32(body, 1 + page.vcpu * vcpu + page.time_version, order)
            if lo % 2 == 1 then
                tell("pv-shared-info-unstable", "the time of vcpu %.0f has version %.0f: odd, as while it is being changed",
                    vcpu, lo)
            end
        end
    end
end
