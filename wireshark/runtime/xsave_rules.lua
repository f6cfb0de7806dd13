-- Rules over XSAVE areas, of HVM and PV guests: core/check/cpu_state.py.
do
    local facts = definitions.xsave_rules
    local kind = definitions.record_numbers.libxc.X86_PV_VCPU_XSAVE
    local halves, hex = numbers.halves, numbers.hex

    -- The bits that are set in the first number and not in the second, as halves.
    local function without(lo, hi, other_lo, other_hi)
        return lo - numbers.band(lo, other_lo), hi - numbers.band(hi, other_hi)
    end

    -- Bytes that the area takes, and whether `size` is right.
    local function fits(lo, hi, places, size)
        local wanted = xsave_area.size(lo, hi, places)
        if wanted then
            return wanted, size == wanted
        end
        local known = false
        for _, table_of in ipairs(facts.tables) do
            local one = xsave_area.size(lo, hi, table_of)
            wanted, known = wanted or one, known or one == size
        end
        -- Components that nobody placed: their size is not known here, and the least size is.
        return wanted, known or wanted == nil and size >= definitions.xsave_area.least
    end

    -- Hold the area to the rules; `field` says where its parts are behind `at`, `stop` is the index behind it.
    local function check(guest, tell, who, body, at, stop, order, field)
        local xcr0, xcr0_hi = halves(body, at + field.xcr0, 8, order)
        local accum, accum_hi = halves(body, at + field.xcr0_accum, 8, order)
        local area = at + field.area
        local size = stop - area
        if accum + accum_hi + xcr0 + xcr0_hi == 0 then
            if size > 0 then
                tell("xsave-length", ("%s: %s of state for no component"):format(who, numbers.count(size, "byte")))
            end
            return
        end
        local extra, extra_hi = without(xcr0, xcr0_hi, accum, accum_hi)
        if extra + extra_hi > 0 or not xsave_area.valid(accum) or xcr0 + xcr0_hi > 0 and not xsave_area.valid(xcr0) then
            tell("xsave-components", ("%s: xcr0 is %s and xcr0_accum %s, which do not go together"):format(who,
                hex(xcr0, xcr0_hi), hex(accum, accum_hi)))
            return
        end
        local used, used_hi = halves(body, area + facts.xstate_bv, 8, order)
        extra, extra_hi = without(used, used_hi, accum, accum_hi)
        if extra + extra_hi > 0 then
            tell("xsave-components", ("%s: xstate_bv has bits %s that were never enabled"):format(who,
                hex(extra, extra_hi)))
        end
        local allowed, allowed_hi = cpu_policy_rules.xcr0(guest.policy)
        extra, extra_hi = without(accum, accum_hi, allowed, allowed_hi)
        if allowed + allowed_hi > 0 and extra + extra_hi > 0 then
            tell("xsave-policy", ("%s: xcr0_accum has bits %s that the CPU policy does not allow"):format(who,
                hex(extra, extra_hi)))
        end
        local wanted, right = fits(accum, accum_hi, cpu_policy_rules.places(guest.policy), size)
        if not right then
            tell("xsave-length", ("%s: %s of state, xcr0_accum %s takes %s"):format(who, numbers.count(size, "byte"),
                hex(accum, accum_hi), wanted and ("%.0f"):format(wanted) or "None"))
        end
    end

    hvm_context_rules.checks[facts.kind] = function(tell, name, body, at, order, entry, guest)
        local field = facts.hvm_at
        check(guest, tell, name, body, at, entry.stop, order, field)
        local accum, accum_hi = halves(body, at + field.xcr0_accum, 8, order)
        local extra, extra_hi = without(accum, accum_hi, halves(body, at + field.xfeature_mask, 8, order))
        if extra + extra_hi > 0 then
            tell("hvm-xsave-mask", ("%s: xcr0_accum has bits %s that the sender's processor does not have"):format(name,
                hex(extra, extra_hi)))
        end
    end

    -- Returns whether the area could be looked at.
    guest_state.subjects[kind] = function(guest, record, body, order)
        if hvm_context_rules.fits(structs.body(record), body, 1, #body + 1, order) then
            local who = ("vcpu %.0f"):format(numbers.u32(body, 1, order))
            check(guest, function(rule, problem)
                rules.tell(record, rule, { problem = problem })
            end, who, body, 1, #body + 1, order, facts.pv_at)
            return true
        end
        return false
    end
end
