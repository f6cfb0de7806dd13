-- What has been said of the guest so far, for rules over what several records say: core/check/guest_state.py. It follows the
-- stream, so that a record breaks the same rules whenever it is shown.
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
        local new = setmetatable({ whole = false, pv = false, emulators = {}, configuration = nil }, state)
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
        self.p2m_frames = nil       -- of its physical-to-machine table: the last record, and the pfns
        self.memory = nil           -- how far its memory has come: see memory_rules
        self.emulated = false       -- whether the last complete HVM_CONTEXT has emulated devices
        self.pages = page_tables.wanted and page_tables.new(self) or nil -- what was in the guest's page tables
        self.policy = nil           -- the CPU policy: leaf -> subleaf -> its four registers
        self.policy_msrs = {}       -- of the MSRs in the policy: whether it is not zero
        self:start_checkpoint()
    end

    -- Forget what comes anew with each checkpoint.
    function state:start_checkpoint()
        self.context = nil          -- HVM_CONTEXT: the record, its entries, and which types they have
        self.params = nil           -- by index the halves of each parameter in HVM_PARAMS, and the last record with some
        self.params_record = nil
        self.vcpus = {}             -- of a PV guest: what records came of each vcpu, by number
        self.vcpu_count = 0         -- and the highest of these numbers, and one
    end

    -- Take the domain header.
    function state:domain(kind, major, minor)
        self.hvm = definitions.libxc_order.guest_types[kind] == "HVM"
        self.pv = kind == definitions.page_contents.pv -- whether it says x86 PV; so it stays until the next says otherwise
        self.converted = major == 0
        if not self.converted then
            self.major, self.minor = major, minor
        end
        self.whole = true           -- everything since the headers was seen, so that what did not come is missing
    end

    -- Records may have been missed.
    function state:gap()
        self.whole = false
        memory_rules.gap(self)
    end

    -- Which pages of the guest have come, and of what types, where all of them were seen; nil where not.
    function state:population()
        local memory = self.memory
        return memory and memory.population.whole and memory.population or nil
    end

    -- Whether the sender's Xen is at least of that release.
    function state:since(major, minor)
        return self.major > major or self.major == major and self.minor >= minor
    end

    local function complete(self, record)
        memory_rules.complete(self, record)
        for _, one in ipairs(guest_state.completions) do
            one(self, record)
        end
        self:start_checkpoint()
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
            if kind == names.PAGE_DATA then
                memory_rules.gap(self)
            end
        elseif kind == names.X86_PV_INFO then
            local width, levels = body:byte(1 + facts.pv_info.guest_width), body:byte(1 + facts.pv_info.pt_levels)
            if width and definitions.body_rules.pairs[width] == levels then
                self.width = width
            end
        elseif #body > facts.least or kind == names.HVM_CONTEXT then
            local subject, order = guest_state.subjects[kind], body_rules.order(record, body, 1)
            if subject then
                subject(self, record, body, order)
            end
        end
    end

    -- The types of the entries of a HVM_CONTEXT, how many vcpus have a local APIC, the entries, and the row of their chain.
    local function look_through(body, order)
        local row = structs.body({ layer = "libxc", type = names.HVM_CONTEXT }).rows[1]
        local types, vcpus, entries, at, stop = {}, {}, {}, 1, #body + 1
        local count = 0
        local walk = chains.walk(row, body, stop, order)
        for _ = 1, chains.MOST do
            if at + walk.size > stop then
                break
            end
            local kind, length = walk:head(at)
            local instance = numbers.u16(body, at + facts.instance_at, order)
            local ends, following, searched = walk:next(at)
            entries[#entries + 1] = { kind = kind, instance = instance, at = at, length = length, stop = ends }
            if kind == facts.lapic and not vcpus[instance] then
                vcpus[instance], count = true, count + 1
            end
            types[kind], at = true, following
            if kind == 0 and not searched then
                break
            end
        end
        return types, count, entries, row
    end

    local function emulated(types)
        for kind in pairs(facts.emulated) do
            if types[kind] then
                return true
            end
        end
        return false
    end

    guest_state.subjects[names.HVM_CONTEXT] = function(self, record, body, order)
        local types, vcpus, entries, row = look_through(body, order)
        self.context = { record = record, types = types, entries = entries }
        hvm_context_rules.look(self, record, entries, row, body, order)
        configuration_rules.look_at_vcpus(self, record, vcpus, true)
        configuration_rules.look_at_devices(self, record, emulated(types))
    end

    guest_state.completions[1] = function(self, record)
        if self.context then
            self.emulated = emulated(self.context.types)
        end
        if self.hvm == false and self.vcpu_count > 0 then
            configuration_rules.look_at_vcpus(self, record, self.vcpu_count, false)
        end
        if self.pages and self.hvm == false and (self.vcpu_count > 0 or record.type == names.END) then
            self.pages:complete(record)
        end
    end
end
