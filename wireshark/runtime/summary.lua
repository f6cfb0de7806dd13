-- What was found, as a text: the table of records and iterations of every migration.
local summary = {}
do
    local format = string.format

    -- Lines of more than 71 characters are wrapped in the window that Wireshark opens.
    local LINE = "  %-17s %7s %8s %8s %10s  %s"

    -- What a pass is. At the end of the capture that is settled even where no later record has shown it.
    local function kind_of(direction, pass)
        return pass.kind or passes.last_kind(direction)
    end

    local function iterations(direction, lines)
        local rows = {}
        for _, element in ipairs(direction.elements) do
            local pass = element.pass
            if pass then
                local row = rows[pass.index]
                if row == nil then
                    row = { records = 0, pfns = 0, pages = 0, bytes = 0, first = element.frame }
                    rows[pass.index] = row
                end
                -- Of the last record there may be less than it announces.
                local stop = element.stop < direction.front and element.stop or direction.front
                local words = element.first_page < stop and element.first_page or stop
                row.records = row.records + 1
                row.pfns = row.pfns + math.floor((words - element.at - definitions.page_data_head) / definitions.pfn_size)
                row.pages = row.pages + (stop == element.stop and element.with_data
                    or math.floor((stop - element.first_page) / definitions.page_size))
                row.bytes = row.bytes + stop - element.at
                row.last = element.ended or direction.seen
            end
        end
        if #direction.passes == 0 then
            return
        end
        lines[#lines + 1] = format(LINE, "iteration", "records", "pfns", "pages", "bytes", "frames")
        for _, pass in ipairs(direction.passes) do
            local row = rows[pass.index]
            lines[#lines + 1] = format(LINE, format("%3d %s", pass.index, kind_of(direction, pass)), row.records,
                numbers.decimal(row.pfns), numbers.decimal(row.pages), numbers.decimal(row.bytes),
                format("%d-%d", row.first, row.last))
        end
    end

    local function run_line(run)
        return format("  #%-6d %-5s %-22s %10s bytes at %s%s", run.first.index, run.first.layer,
            run.count > 1 and format("%s x %d", elements.type_name(run.first), run.count) or elements.type_name(run.first),
            numbers.decimal(run.bytes), numbers.decimal(run.first.at), run.missing and " (bytes missing)" or "")
    end

    local function list_records(direction, lines)
        local run
        local function flush(line)
            if run then
                lines[#lines + 1] = run_line(run)
                run = nil
            end
            lines[#lines + 1] = line
        end
        flush("  records")
        for _, element in ipairs(direction.elements) do
            if element.kind == "record" and element.type then
                if run and run.first.type == element.type and run.first.layer == element.layer
                    and run.first.pass == element.pass then
                    run.count, run.bytes = run.count + 1, run.bytes + element.stop - element.at
                else
                    flush()
                    run = { first = element, count = 1, bytes = element.stop - element.at }
                end
                run.missing = run.missing or element.missing > 0
            elseif element.kind == "text" then
                flush(format("  %s in frame %s", element.name, tostring(element.last)))
            elseif element.kind == "lost" or element.kind == "unrecognised" then
                flush(format("  %s at %s", element.instead or "position lost", numbers.decimal(element.at)))
            end
        end
        flush()
    end

    local function one(connection, direction, lines)
        lines[#lines + 1] = format("Migration %d, tcp.stream %d, %s: %s%s", connection.id, connection.stream,
            direction.role, numbers.count(direction.front, "byte"), direction.over and ", complete" or "")
        local rule, values = endings.of(direction)
        if rule then
            lines[#lines + 1] = format("  %s: %s: %s", definitions.rules[rule].severity, rule, rules.message(rule, values))
        end
        if direction.role == "sender" then
            local guest, uuid = configuration_rules.description(direction.guest)
            if guest then
                lines[#lines + 1] = "  guest: " .. guest
            end
            if uuid then
                lines[#lines + 1] = "  uuid: " .. uuid
            end
            iterations(direction, lines)
        end
        list_records(direction, lines)
        if next(direction.holes) then
            lines[#lines + 1] = "  bytes missing: " .. (holes.hint() or "the capture does not hold them")
        end
    end

    function summary.text()
        local lines = {}
        for _, connection in ipairs(connections.list) do
            for _, role in ipairs({ "sender", "receiver" }) do
                for side = 0, 1 do
                    local direction = connection.directions[side]
                    if direction and direction.role == role then
                        one(connection, direction, lines)
                    end
                end
            end
        end
        if #lines == 0 then
            lines[1] = "No Xen migration stream was found."
        end
        return table.concat(lines, "\n") .. "\n"
    end
end
