-- The features of the processor that a CPU policy gives the guest, by Xen's names: core/definitions/features.py.
local cpu_features = {}
do
    local u32 = numbers.u32
    local facts = definitions.cpu_features
    local names = definitions.record_numbers.libxc
    local KEY = "cpu_feature"

    -- Words as they stand in a leaf, whose subleaf may be none, or in an MSR that begins at index `at`.
    local function words_of_leaf(data, at, order)
        local subleaf = u32(data, at + facts.leaf.subleaf, order)
        local words = facts.leaves[u32(data, at + facts.leaf.leaf, order)]
        return words and words[subleaf == facts.no_subleaf and 0 or subleaf]
    end

    local function words_of_msr(data, at, order)
        return facts.msrs[u32(data, at + facts.msr.idx, order)]
    end

    -- A half of 64 bits lies elsewhere in a big endian stream.
    local function msr_word_at(word, order)
        local lower, upper = facts.msrs_at, facts.msrs_at + facts.word
        return order == "<" and word.at or lower + upper - word.at
    end

    local function leaf_word_at(word)
        return word.at
    end

    local policies = {
        [names.X86_CPUID_POLICY] = { size = facts.leaf_size, words = words_of_leaf, at = leaf_word_at },
        [names.X86_MSR_POLICY] = { size = facts.msr_size, words = words_of_msr, at = msr_word_at },
    }

    -- Show a word of the featureset; returns how many items that took.
    local function show_word(parent, range, word, number)
        local found = {}
        for _, feature in ipairs(word.features) do
            if numbers.bits(number, 0, feature.bit, 1) == 1 then
                found[#found + 1] = feature
            end
        end
        local item = parent:add(range, ("features in %s: %s"):format(word.name, trees.listed(found)))
        for _, feature in ipairs(found) do
            item:add(fields[KEY], range, feature.name):append_text(" (" .. feature.doc .. ")")
        end
        return #found + 1
    end

    -- Add the features to the item of the body of a record, which begins at index `begins` of `data` and at byte `base` of
    -- `tvb`; of other records than policies nothing. A policy may have room for more than Wireshark's tree takes.
    function cpu_features.show(item, record, tvb, base, data, begins, stop, order)
        local policy = record.layer == "libxc" and policies[record.type]
        if not policy then
            return
        end
        local left = trees.MOST
        for at = begins, stop - policy.size, policy.size do
            for _, word in ipairs(policy.words(data, at, order) or {}) do
                local place = at + policy.at(word, order)
                left = left - show_word(item, tvb(base + place - begins, facts.word), word, u32(data, place, order))
            end
            if left <= 0 then
                break
            end
        end
    end
end
