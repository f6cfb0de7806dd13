-- What has been said of the guest so far, for rules over what several records say: core/check/guest_state.py, without its
-- byte for each of the guest's pages. It follows the stream, so that a record breaks the same rules whenever it is shown.
local guest_state = {}
do
    local names = definitions.record_numbers.libxc
    local facts = definitions.guest_state
    local state = {}
    state.__index = state

    -- By type of a libxc record: function(guest, record, body, order), which holds the body to the rules over what is inside.
    guest_state.subjects = {}
    -- In order: function(guest, record), called with the CHECKPOINT or END behind which nothing more comes.
    guest_state.completions = {}

    function guest_state.new()
        local new = setmetatable({ whole = false, emulators = {} }, state)
        new:start()
        return new
    end

    -- Begin a stream, with its image header.
    function state:start()
        self.hvm = nil              -- whether the domain header says x86 HVM
        self.converted = false      -- the stream was made from a legacy one
        self.major, self.minor = 0, 0 -- release of the sender's Xen; 0.0 when converted or not known
        self.width = nil            -- octets in a word of a PV guest
        self.end_pfn = nil          -- last pfn of a PV guest
        self.emulated = false       -- whether the last complete HVM_CONTEXT has emulated devices
        self.context = nil          -- of this checkpoint: the types of the entries in HVM_CONTEXT
    end

    -- Take the domain header.
    function state:domain(kind, major, minor)
        self.hvm = definitions.libxc_order.guest_types[kind] == "HVM"
        self.converted = major == 0
        if not self.converted then
            self.major, self.minor = major, minor
        end
        self.whole = true           -- everything since the headers was seen, so that what did not come is missing
    end

    -- Records may have been missed.
    function state:gap()
        self.whole = false
    end

    -- Whether the sender's Xen is at least of that release.
    function state:since(major, minor)
        return self.major > major or self.major == major and self.minor >= minor
    end

    local function complete(self, record)
        for _, one in ipairs(guest_state.completions) do
            one(self, record)
        end
        self.context = nil
    end

    -- Take a record; `body` is nil when it is not all there, or too large.
    function state:record(record, body)
        local kind = record.type
        if record.layer == "libxl" then
            emulator_rules.record(self, record, body)
        elseif kind == names.CHECKPOINT or kind == names.END then
            complete(self, record)
        elseif body == nil then
            self.whole = false
        elseif kind == names.X86_PV_INFO then
            local width, levels = body:byte(1, 2)
            if width and definitions.body_rules.pairs[width] == levels then
                self.width = width
            end
        elseif guest_state.subjects[kind] and #body > facts.least then
            guest_state.subjects[kind](self, record, body, body_rules.order(record, body, 1))
        end
    end

    guest_state.subjects[names.X86_PV_P2M_FRAMES] = function(self, _, body, order)
        local last = numbers.u32(body, 5, order)
        self.end_pfn = self.end_pfn and self.end_pfn > last and self.end_pfn or last
    end

    -- The types of the entries of a HVM_CONTEXT.
    local function typecodes(body, order)
        local row = structs.body({ layer = "libxc", type = names.HVM_CONTEXT }).rows[1]
        local found, at, stop = {}, 1, #body + 1
        local walk = chains.walk(row, body, stop, order)
        for _ = 1, chains.MOST do
            if at + walk.size > stop then
                break
            end
            local kind = walk:head(at)
            local _, following, searched = walk:next(at)
            found[kind], at = true, following
            if kind == 0 and not searched then
                break
            end
        end
        return found
    end

    guest_state.subjects[names.HVM_CONTEXT] = function(self, _, body, order)
        self.context = typecodes(body, order)
    end

    guest_state.completions[1] = function(self)
        if self.context then
            self.emulated = false
            for kind in pairs(facts.emulated) do
                self.emulated = self.emulated or self.context[kind] ~= nil
            end
        end
    end
end
