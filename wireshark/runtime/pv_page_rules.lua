-- Rules over the pages that a receiver needs to start a PV guest: core/check/pv_pages.py.
local pv_page_rules = {}
do
    local facts = definitions.pv_page_rules
    local page_type = definitions.enumerations[facts.page_type]
    local hex = numbers.hex

    -- Whether the page with this pfn, given by halves, came and is a page table of `level` (0: an ordinary page); says when it
    -- is not. True also when nothing is known.
    function pv_page_rules.look(guest, tell, who, lo, hi, level)
        local came = guest:population()
        if came == nil then
            return true
        end
        local pfn = hi * 2 ^ 32 + lo
        if not came:populated(pfn) then
            tell("pv-page-missing", "%s is pfn %s, which never comes", who, hex(lo, hi))
            return false
        end
        local kind = came:type(pfn)
        if numbers.band(kind, facts.level) ~= level then
            tell("pv-page-type", "%s is pfn %s, a page of type %s, not %s", who, hex(lo, hi),
                structs.meaning(page_type, kind), structs.meaning(page_type, level))
            return false
        end
        return true
    end

    -- The pages of the physical-to-machine table: what is wrong with them shows when memory has come.
    local function look_at_frames(guest, record)
        local frames, last, came = guest.p2m_frames, guest.end_pfn, guest:population()
        if frames == nil or came == nil or came:ordinary(frames.pfns) then
            return
        end
        local function tell(rule, problem, ...)
            rules.tell(record, rule, { problem = problem:format(...) }, frames.record)
        end
        for index, pfn in ipairs(frames.pfns) do
            if pfn <= last then
                pv_page_rules.look(guest, tell, ("frame %.0f of the physical-to-machine table"):format(index - 1), pfn, 0, 0)
            end
        end
    end

    -- There is a page-table root that is pinned.
    local function look_at_roots(guest, record)
        local came, level = guest:population(), facts.levels[guest.width or 0]
        if came and level and came:count() > 0 and not came:has(level + facts.pinned) then
            rules.tell(record, "pv-pinned-root",
                { problem = "no page has the type " .. structs.meaning(page_type, level + facts.pinned) })
        end
    end

    -- The guest's memory and its vcpus have come: `record` is the CHECKPOINT or END behind them.
    function pv_page_rules.complete(guest, record)
        look_at_frames(guest, record)
        look_at_roots(guest, record)
    end
end
