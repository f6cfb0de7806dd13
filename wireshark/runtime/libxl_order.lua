-- The order and number of the records of a libxl stream: core/check/libxl_order.py, whose tables are generated.
local libxl_order = {}
do
    local names = definitions.record_numbers.libxl
    local emulators, named = definitions.libxl_order.emulators, definitions.libxl_order.named
    local tell = rules.tell
    -- A stream of nothing but such records must not be remembered record by record.
    local REMEMBERED = definitions.limits.emulators
    local order = {}
    order.__index = order

    -- The libxl stream around a libxc stream, whose own order is given.
    function libxl_order.new(libxc)
        return setmetatable({
            libxc = libxc,
            whole = false,          -- everything since the header was seen
            seen = false,           -- there is a libxl stream at all
            checkpoints = 0, last_checkpoint = 0, contexts = 0, before = nil, emulators = {}, remembered = 0,
        }, order)
    end

    local function forget_emulators(self)
        self.emulators, self.remembered = {}, 0
    end

    -- Begin a stream, with its header.
    function order:start()
        self.whole, self.seen = true, true
    end

    -- Records may have been missed.
    function order:gap()
        self.whole, self.before = false, nil
        forget_emulators(self)
    end

    local function emulator(self, record, body)
        if self.libxc.guest == "PV" then
            tell(record, "libxl-emulator-guest")
        end
        if body == nil or #body < named then
            return
        end
        local key = record.type .. body:sub(1, named)
        if self.emulators[key] then
            tell(record, "libxl-emulator-repeated", { emulator = numbers.hex(numbers.u32(body, 1, record.order), 0) })
        elseif self.remembered < REMEMBERED then
            self.emulators[key], self.remembered = true, self.remembered + 1
        end
    end

    -- Take a record whose type is known; `body` is nil when it is not all there, or too large.
    function order:record(record, body)
        self.seen = true
        local kind, before = record.type, self.before
        self.before = kind
        if kind == names.LIBXC_CONTEXT then
            self.contexts = self.contexts + 1
            if self.contexts > 1 then
                tell(record, "libxl-libxc-context-repeated")
            end
        elseif kind == names.END then
            if self.whole and self.contexts == 0 then
                tell(record, "libxl-libxc-context-missing")
            elseif self.whole and self.checkpoints < self.libxc.checkpoints and not self.libxc.ended then
                tell(record, "libxl-checkpoint-end-missing")
            end
        elseif self.contexts == 0 and self.whole then
            tell(record, "libxl-libxc-context-not-first")
        end
        if emulators[kind] then
            emulator(self, record, body)
        elseif kind == names.CHECKPOINT_END then
            if self.whole and self.checkpoints >= self.libxc.checkpoints then
                tell(record, "libxl-checkpoint-end-place")
            else
                self.checkpoints, self.last_checkpoint = self.checkpoints + 1, record.stop
            end
            forget_emulators(self)
        elseif kind == names.CHECKPOINT_STATE and self.whole and before ~= names.CHECKPOINT_END then
            tell(record, "libxl-checkpoint-state-place")
        end
    end
end
