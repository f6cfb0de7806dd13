-- Rules over X86_CPUID_POLICY and X86_MSR_POLICY: core/check/cpu_policy.py.
local cpu_policy_rules = {}
do
    local u32, halves = numbers.u32, numbers.halves
    local facts = definitions.cpu_policy_rules
    local names = definitions.record_numbers.libxc
    local leaf_at = facts.leaf_at
    local NO_SUBLEAF = facts.no_subleaf
    local components = definitions.xsave_area.components

    local function teller(record)
        return function(rule, problem, ...)
            rules.tell(record, rule, { problem = problem:format(...) })
        end
    end

    -- Register a, b, c or d of a leaf of the guest's policy; subleaf 0 stands for none too. nil when it is not there.
    local function register(policy, leaf, subleaf, name)
        local found = policy and policy[leaf]
        found = found and (found[subleaf] or subleaf == 0 and found[NO_SUBLEAF])
        return found and found[name] or nil
    end
    cpu_policy_rules.register = register

    -- The components that the guest may enable, as two halves of 32 bits.
    function cpu_policy_rules.xcr0(policy)
        return register(policy, facts.xstate_leaf, 0, "a") or 0, register(policy, facts.xstate_leaf, 0, "d") or 0
    end

    -- Where the guest's policy puts the components of an XSAVE area: component -> {offset, size}.
    function cpu_policy_rules.places(policy)
        local places = {}
        for subleaf, registers in pairs(policy and policy[facts.xstate_leaf] or {}) do
            if subleaf >= components.first and subleaf <= components.last and registers.a > 0 then
                places[subleaf] = { offset = registers.b, size = registers.a }
            end
        end
        return places
    end

    local function in_range(leaf)
        return leaf <= facts.basic_max or facts.hypervisor[leaf] or leaf >= facts.extended and leaf <= facts.extended_max
    end

    -- One leaf behind `last`, the leaf and subleaf that are the highest so far; returns those from then on.
    local function one_leaf(tell, leaf, subleaf, last_leaf, last_subleaf)
        local place = subleaf == NO_SUBLEAF and -1 or subleaf
        local name = ("leaf 0x%x"):format(leaf) .. (subleaf == NO_SUBLEAF and "" or (".%.0f"):format(subleaf))
        local same = leaf == last_leaf and place == last_subleaf
        local behind = leaf > last_leaf or leaf == last_leaf and place > last_subleaf
        if not behind then
            tell("cpuid-order", "%s %s", name, same and "comes a second time" or "is out of order")
        end
        local most = facts.subleaves[leaf]
        if (subleaf == NO_SUBLEAF) ~= (most == nil) then
            tell("cpuid-order", "%s should have %s", name, most and "a subleaf" or "no subleaf")
        elseif most and subleaf > most or not in_range(leaf) then
            tell("cpuid-range", "%s is none that a receiver knows", name)
        end
        if behind then
            return leaf, place
        end
        return last_leaf, last_subleaf
    end

    -- The highest number in `present` between two; nil where there is none.
    local function highest(present, from, to)
        local found
        for number in pairs(present) do
            if number >= from and number <= to and (found == nil or number > found) then
                found = number
            end
        end
        return found
    end

    -- The leaves that say how many leaves there are.
    local function limits(tell, policy)
        -- See core/check/cpu_policy.py: another program may leave out leaves, leaf 7 among them.
        local raised = policy[7] and "cpuid-limits-raised" or "cpuid-limits"
        local basic = highest(policy, 0, facts.basic_max)
        local extended = highest(policy, facts.extended, facts.extended_max)
        local told = register(policy, 0, 0, "a")
        if told and math.min(told, facts.basic_max) ~= basic then
            tell(told > basic and raised or "cpuid-limits", "leaf 0 says that 0x%x is the last basic leaf, which is 0x%x",
                told, basic)
        end
        told = register(policy, facts.extended, 0, "a")
        if told and math.min(told, facts.extended_max) ~= extended then
            tell(told > extended and raised or "cpuid-limits",
                "leaf 0x%x says that 0x%x is the last extended leaf, which is 0x%x", facts.extended, told, extended)
        end
        local subleaf = policy[7] and highest(policy[7], 0, NO_SUBLEAF - 1)
        told = register(policy, 7, 0, "a")
        if told and subleaf and told ~= subleaf then
            tell(told > subleaf and raised or "cpuid-limits", "leaf 7 says that %.0f is its last subleaf, which is %.0f",
                told, subleaf)
        end
    end

    -- The leaf of the XSAVE area: which components there are, and how large they are together.
    local function xstate(tell, policy)
        local leaf = policy[facts.xstate_leaf]
        local lo, hi = cpu_policy_rules.xcr0(policy)
        if leaf == nil or leaf[0] == nil or lo + hi == 0 then
            return
        end
        local named = structs.flags_meaning(facts.xstate, lo, hi)
        if not xsave_area.valid(lo) then
            tell("cpuid-xstate", "XCR0 is %s: no processor has that", named)
            return
        end
        local places, missing = cpu_policy_rules.places(policy), {}
        for _, bit in ipairs(xsave_area.components(lo, hi)) do
            if places[bit] == nil then
                missing[#missing + 1] = ("%d"):format(bit)
            end
        end
        if #missing > 0 then
            tell("cpuid-xstate", "XCR0 is %s, and nothing is said of component %s", named, table.concat(missing, ", "))
            return
        end
        local size, wanted = register(policy, facts.xstate_leaf, 0, "c"), xsave_area.size(lo, hi, places)
        if size ~= wanted then
            tell("cpuid-xstate", "the area is said to take %s, its components %.0f", numbers.count(size, "byte"), wanted)
        end
    end

    guest_state.subjects[names.X86_CPUID_POLICY] = function(guest, record, body, order)
        local tell = teller(record)
        local policy, count = {}, math.floor(#body / facts.leaf)
        local last_leaf, last_subleaf = -1, -1
        for at = 1, count * facts.leaf, facts.leaf do
            local leaf, subleaf = u32(body, at + leaf_at.leaf, order), u32(body, at + leaf_at.subleaf, order)
            last_leaf, last_subleaf = one_leaf(tell, leaf, subleaf, last_leaf, last_subleaf)
            policy[leaf] = policy[leaf] or {}
            -- Of a leaf that comes twice the last counts.
            policy[leaf][subleaf] = {
                a = u32(body, at + leaf_at.a, order), b = u32(body, at + leaf_at.b, order),
                c = u32(body, at + leaf_at.c, order), d = u32(body, at + leaf_at.d, order),
            }
        end
        if count > facts.leaves_max then
            tell("cpuid-range", "%.0f leaves, a receiver takes %d", count, facts.leaves_max)
        end
        guest.policy = policy
        limits(tell, policy)
        xstate(tell, policy)
    end

    guest_state.subjects[names.X86_MSR_POLICY] = function(guest, record, body, order)
        local tell = teller(record)
        local enumeration = definitions.enumerations[facts.msr]
        local seen = {}
        for at = 1, #body - facts.entry + 1, facts.entry do
            local index = u32(body, at + facts.entry_at.idx, order)
            local lo, hi = halves(body, at + facts.entry_at.val, 8, order)
            local name = structs.meaning(enumeration, index)
            if not facts.policy_msrs[index] then
                tell("msr-policy", "%s is none that a receiver knows", name)
            elseif seen[index] then
                tell("msr-policy", "%s comes a second time", name)
            elseif index == facts.platform_info and hi > 0 then
                tell("msr-policy", "%s is %s: it has 32 bits", name, numbers.hex(lo, hi))
            end
            seen[index] = true
            guest.policy_msrs[index] = lo + hi > 0
        end
        local features = register(guest.policy, 7, 0, "d")
        if guest.policy_msrs[facts.arch_capabilities] and features
            and numbers.bits(features, 0, facts.arch_caps_bit, 1) == 0 then
            tell("msr-policy-arch-caps", "%s has bits set, and CPUID says that there is no such MSR (ARCH_CAPS)",
                structs.meaning(enumeration, facts.arch_capabilities))
        end
    end
end
