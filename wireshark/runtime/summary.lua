-- What was found, as a text: the table of records and iterations of every migration.
local summary = {}
do
    local format = string.format

    -- Lines of more than 71 characters are wrapped in the window that Wireshark opens.
    local function iterations(direction, lines)
        local rows, order = {}, {}
        for _, element in ipairs(direction.elements) do
            local index = element.iteration
            if index then
                local row = rows[index]
                if row == nil then
                    row = { records = 0, pfns = 0, pages = 0, bytes = 0, first = element.frame, phase = element.phase }
                    rows[index] = row
                    order[#order + 1] = index
                end
                row.records = row.records + 1
                row.pfns = row.pfns + (element.pfns and element.pfns.count or 0)
                row.pages = row.pages + element.with_data
                row.bytes = row.bytes + element.stop - element.at
            end
        end
        if #order == 0 then
            return
        end
        lines[#lines + 1] = "  iteration  phase      records     pfns    pages       bytes   frames"
        for _, index in ipairs(order) do
            local row = rows[index]
            lines[#lines + 1] = format("  %9d  %-10s %7d %8.0f %8.0f %11.0f   %s-", index, row.phase, row.records, row.pfns,
                row.pages, row.bytes, tostring(row.first))
        end
    end

    local function run_line(run)
        local last = run.last
        return format("  #%-6d %-5s %-22s %12.0f bytes at %.0f%s", run.first.index, run.first.layer,
            run.count > 1 and format("%s x %d", elements.type_name(run.first), run.count) or elements.type_name(run.first),
            run.bytes, run.first.at, last.missing > 0 and " (bytes missing)" or "")
    end

    local function list_records(direction, lines)
        local run
        lines[#lines + 1] = "  records"
        for _, element in ipairs(direction.elements) do
            if element.kind == "record" and element.type then
                if run and run.first.type == element.type and run.first.layer == element.layer
                    and run.first.iteration == element.iteration then
                    run.count, run.bytes, run.last = run.count + 1, run.bytes + element.stop - element.at, element
                else
                    if run then
                        lines[#lines + 1] = run_line(run)
                    end
                    run = { first = element, last = element, count = 1, bytes = element.stop - element.at }
                end
            elseif element.kind == "text" then
                lines[#lines + 1] = format("  %s in frame %s", element.name, tostring(element.last))
            end
        end
        if run then
            lines[#lines + 1] = run_line(run)
        end
    end

    function summary.text()
        local lines = {}
        for _, connection in ipairs(connections.list) do
            for side = 0, 1 do
                local direction = connection.directions[side]
                if direction then
                    lines[#lines + 1] = format("Migration %d, tcp.stream %d, %s: %.0f bytes%s", connection.id,
                        connection.stream, direction.role, direction.front,
                        direction.over and ", complete" or "")
                    iterations(direction, lines)
                    list_records(direction, lines)
                end
            end
        end
        if #lines == 0 then
            lines[1] = "No Xen migration stream was found."
        end
        return table.concat(lines, "\n") .. "\n"
    end
end
