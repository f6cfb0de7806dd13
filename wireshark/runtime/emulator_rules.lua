-- Rules over the device model's records, which need to know what devices the guest has: core/check/emulator.py.
local emulator_rules = {}
do
    local facts = definitions.emulator_rules

    -- Take a libxl record; `body` is nil when it is not all there, or too large.
    function emulator_rules.record(guest, record, body)
        local kind, found = record.type, guest.emulators
        if facts.last[kind] then
            if guest.emulated and guest.whole and not guest.converted and found[facts.context] == nil then
                rules.tell(record, "hvm-emulator-missing",
                    { problem = "the guest has emulated devices, and there is no EMULATOR_CONTEXT" })
            end
            guest.emulators = {}
        elseif kind == facts.xenstore_data or kind == facts.context then
            -- The emulator that it names; false where that was not seen.
            found[kind] = body and #body >= 4 and numbers.u32(body, 1, record.order)
            local first, second = found[facts.xenstore_data], found[facts.context]
            if first and second and first ~= second then
                rules.tell(record, "hvm-emulator-differs", {
                    problem = ("EMULATOR_XENSTORE_DATA is of emulator %.0f, EMULATOR_CONTEXT of %.0f"):format(first, second),
                })
            end
        end
    end
end
