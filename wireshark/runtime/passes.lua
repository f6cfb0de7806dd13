-- Iterations and phases: the passes over guest memory, told apart as core/analysis/iterations.py does.
local passes = {}
do
    local FULL = definitions.largest_batch
    local before_memory = definitions.before_memory
    local numbers_of = definitions.record_numbers

    function passes.new(direction)
        direction.iteration = -1
        direction.in_pass, direction.full, direction.highest = false, true, -1
        direction.pages, direction.checkpoints = 0, 0
        direction.memory = "memory"
        direction.seen_memory = false
    end

    -- Which part of a migration a record belongs to.
    function passes.begin(direction, record)
        if record.layer == "libxl" then
            local kind = record.type
            if kind == numbers_of.libxl.LIBXC_CONTEXT then
                record.phase = "headers"
            elseif kind == numbers_of.libxl.END then
                record.phase = "end"
            elseif kind == numbers_of.libxl.CHECKPOINT_END or kind == numbers_of.libxl.CHECKPOINT_STATE then
                record.phase = "checkpoint"
            else
                record.phase = "device model"
            end
        elseif record.type == definitions.PAGE_DATA or record.type == numbers_of.libxc.VERIFY then
            record.phase = record.type == definitions.PAGE_DATA and direction.memory or "verify"
        elseif record.type == numbers_of.libxc.CHECKPOINT then
            record.phase = "checkpoint"
        elseif before_memory[record.type] and not direction.seen_memory then
            record.phase = "static data"
        elseif record.type == numbers_of.libxc.END then
            record.phase = "end of libxc"
        else
            record.phase = "guest state"
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
            direction.iteration = direction.iteration + 1
            direction.in_pass = true
            direction.highest = -1
        end
        direction.seen_memory = true
        if listed > 0 then
            direction.highest = pfns.last
        end
        direction.full = record.count >= FULL
        record.iteration, record.pages_before = direction.iteration, direction.pages
        record.with_data = pfns and not record.cut and pfns.with_data
            or math.floor((record.stop - record.first_page) / definitions.page_size)
        direction.pages = direction.pages + record.with_data
    end

    -- A record has passed by.
    function passes.take(direction, record)
        if record.layer ~= "libxc" or record.count or before_memory[record.type] or not direction.seen_memory then
            return
        end
        if definitions.records.libxc[record.type] == nil or record.type == definitions.PAGE_DATA then
            return
        end
        direction.in_pass, direction.full = false, true
        if record.type == numbers_of.libxc.VERIFY then
            direction.memory = "verify"
        elseif record.type == numbers_of.libxc.CHECKPOINT then
            direction.memory = "checkpoint"
            direction.checkpoints = direction.checkpoints + 1
        end
    end

end
