-- Iterations and phases: the passes over guest memory, told apart as core/analysis/iterations.py does.
--
-- Which kind of pass it is shows only when it is over: what follows a pass of the live loop is another pass, what follows
-- stop-and-copy is the guest's state. Until then the phase of its records is "memory".
local passes = {}
do
    local FULL = definitions.largest_batch
    local before_memory = definitions.before_memory
    local numbers_of = definitions.record_numbers
    local phases = definitions.phases

    function passes.new(direction)
        direction.passes = {}       -- those of the guest's memory, in stream order
        direction.live = {}         -- all of them but those behind VERIFY or CHECKPOINT
        direction.in_pass, direction.full, direction.highest = false, true, -1
        direction.pages, direction.checkpoints = 0, 0
        direction.kind = nil        -- "verify" or "checkpoint" from there on
        direction.paused = false    -- records came that are written only when the guest is paused
    end

    -- Which part of a migration an element belongs to.
    function passes.phase(element)
        local pass = element.pass
        return pass and (pass.kind or phases.memory) or element.phase
    end

    -- Settle which part of a migration a record belongs to, where that is known from the beginning.
    function passes.begin(direction, record)
        if record.layer == "libxl" then
            local kind = record.type
            if kind == numbers_of.libxl.LIBXC_CONTEXT then
                record.phase = phases.preamble
            elseif kind == numbers_of.libxl.END then
                record.phase = phases.ending
            elseif kind == numbers_of.libxl.CHECKPOINT_END or kind == numbers_of.libxl.CHECKPOINT_STATE then
                record.phase = phases.checkpoint
            else
                record.phase = phases.emulator
            end
        elseif record.type == definitions.PAGE_DATA then
            record.phase = direction.kind or phases.memory
        elseif record.type == numbers_of.libxc.VERIFY then
            record.phase = phases.verify
        elseif record.type == numbers_of.libxc.CHECKPOINT then
            record.phase = phases.checkpoint
        elseif before_memory[record.type] and #direction.passes == 0 then
            record.phase = phases.static_data
        else
            record.phase = phases.state
        end
    end

    local function begin_pass(direction, record)
        local live = direction.live
        local pass = { index = #direction.passes, kind = direction.kind, first = record }
        direction.passes[pass.index + 1] = pass
        direction.in_pass, direction.highest = true, -1
        if direction.kind == nil then
            if #live > 0 then
                live[#live].kind = phases.precopy
            end
            live[#live + 1] = pass
        end
    end

    -- The pfns of a PAGE_DATA are known, or as many of them as ever will be.
    function passes.pages(direction, record)
        local pfns = record.pfns
        if record.count == nil then
            return
        end
        local listed = pfns and pfns.count or 0
        if not direction.in_pass or not direction.full or listed > 0 and pfns.first <= direction.highest then
            begin_pass(direction, record)
        end
        if listed > 0 then
            direction.highest = pfns.last
        end
        direction.full = record.count >= FULL
        record.pass, record.pages_before = direction.passes[#direction.passes], direction.pages
        record.with_data = pfns and not record.cut and pfns.with_data
            or math.floor((record.stop - record.first_page) / definitions.page_size)
        direction.pages = direction.pages + record.with_data
    end

    -- What a pass of the live loop is that nothing but the guest's state, or nothing at all, follows: as
    -- core/analysis/iterations.py settles it. xl migrate is always live, and nobody else's receiver speaks first.
    function passes.last_kind(direction)
        local live = direction.joined
        for _, other in pairs(direction.connection.directions or {}) do
            live = live or other.greeted
        end
        if #direction.live > 1 then
            return direction.paused and phases.stop_and_copy or phases.precopy
        end
        return live and phases.precopy or phases.non_live
    end

    -- A record has passed by.
    function passes.take(direction, record)
        if record.layer ~= "libxc" or record.count or before_memory[record.type] or #direction.passes == 0 then
            return
        end
        if definitions.records.libxc[record.type] == nil or record.type == definitions.PAGE_DATA then
            return
        end
        direction.in_pass, direction.full = false, true
        if not direction.paused then
            direction.paused = true
            direction.live[#direction.live].kind = passes.last_kind(direction)
        end
        if record.type == numbers_of.libxc.VERIFY then
            direction.kind = phases.verify
        elseif record.type == numbers_of.libxc.CHECKPOINT then
            direction.kind = phases.checkpoint
            direction.checkpoints = direction.checkpoints + 1
        end
    end
end
