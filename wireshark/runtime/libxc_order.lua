-- The order and number of the records of a libxc stream: core/check/libxc_order.py, whose tables are generated.
local libxc_order = {}
do
    local format = string.format
    local names = definitions.record_numbers.libxc
    local facts = definitions.libxc_order
    local tell = rules.tell
    local order = {}
    order.__index = order

    -- What to look at when the first record of a type comes, and when any of a type does.
    local first, each = {}, {}

    function libxc_order.new()
        local new = setmetatable({}, order)
        new:start(0)
        new.whole = false
        return new
    end

    -- Begin a stream, with its image header.
    function order:start(version)
        self.version = version
        self.guest = nil            -- "PV" or "HVM"
        self.converted = false      -- made from a legacy stream, by a converter that keeps to an order of its own
        self.whole = true           -- everything since the headers was seen, so that what did not come is missing
        self.width = nil            -- octets in a word of a PV guest
        self.checkpoints = 0
        self.last_checkpoint = 0
        self.ended = false
        self.memory_open = false    -- the next PAGE_DATA needs no look at its place
        self.stream, self.checkpoint, self.told = {}, {}, {}
    end

    local function at_least(major, minor, release)
        return major > release[1] or major == release[1] and minor >= release[2]
    end

    -- Take the domain header.
    function order:domain(element, kind, major, minor)
        self.guest = facts.guest_types[kind]
        self.converted = major == 0
        if at_least(major, minor, facts.version_2_since) and facts.versions[self.version]
            and (self.version == 3) ~= at_least(major, minor, facts.version_3_since) then
            tell(element, "libxc-version-release",
                { version = self.version, release = format("%.0f.%.0f", major, minor) })
        end
    end

    -- Records may have been missed: nothing is missing from now on, and everything may come again.
    function order:gap()
        self.whole, self.memory_open = false, false
        self.checkpoint = {}
    end

    -- Say once in a stream that something is missing.
    local function missing(self, rule, record)
        if self.whole and not self.told[rule] then
            self.told[rule] = true
            tell(record, rule)
        end
    end

    local function static_data(self, record)
        if self.version >= 3 and not self.stream[names.STATIC_DATA_END] then
            missing(self, "libxc-static-data-end-missing", record)
        end
    end

    local function pv_info(self, record)
        if self.guest == "PV" and not self.stream[names.X86_PV_INFO] then
            missing(self, "libxc-x86-pv-info-missing", record)
        end
    end

    local function end_of_checkpoint(self, record)
        if not self.whole then
            return
        end
        if self.guest == "HVM" and not self.checkpoint[names.HVM_CONTEXT] then
            tell(record, "libxc-hvm-context-missing")
        end
        if self.guest == "PV" and not self.checkpoint[names.SHARED_INFO] then
            tell(record, "libxc-shared-info-missing")
        end
        if not self.checkpoint[names.X86_TSC_INFO] and not self.converted then
            tell(record, "libxc-tsc-info-missing")
        end
    end

    -- Take a PAGE_DATA while `memory_open` is false.
    function order:page_data(record)
        self.checkpoint[names.PAGE_DATA] = true
        static_data(self, record)
        if self.guest == "PV" and not self.stream[names.X86_PV_P2M_FRAMES] then
            missing(self, "libxc-p2m-frames-missing", record)
        end
        if self.checkpoint[names.X86_TSC_INFO] and not self.converted then
            tell(record, "libxc-page-data-late")
            return
        end
        self.memory_open = true
    end

    -- Take any other record whose type is known.
    function order:record(record)
        local kind = record.type
        local guests = facts.guests[kind]
        if self.guest and guests and not guests[self.guest] and kind ~= names.CHECKPOINT_DIRTY_PFN_LIST then
            tell(record, "libxc-record-guest", { guest = "x86 " .. self.guest })
            return
        end
        if facts.of_version_3[kind] and self.version > 0 and self.version < 3 then
            tell(record, "libxc-record-version", { version = self.version })
        end
        local seen = facts.once[kind] and self.stream or self.checkpoint
        if seen[kind] then
            -- The converter of legacy streams writes two HVM_PARAMS.
            if facts.repeated[kind] and not (kind == names.HVM_PARAMS and self.converted) then
                tell(record, facts.repeated[kind])
            end
        elseif first[kind] then
            first[kind](self, record)
        end
        seen[kind] = true
        if each[kind] then
            each[kind](self, record)
        end
    end

    -- By type ------------------------------------------------------------------------------------------------------

    for _, policy in ipairs(facts.policies) do
        first[policy] = function(self, record)
            if self.stream[names.STATIC_DATA_END] then
                tell(record, "libxc-policy-late")
            end
        end
    end

    first[names.STATIC_DATA_END] = function(self, record)
        if self.whole and not self.converted and self.version == 3 then
            for _, policy in ipairs(facts.policies) do
                if not self.stream[policy] then
                    tell(record, "libxc-policy-missing",
                        { missing = policy, name = definitions.records.libxc[policy].name })
                end
            end
        end
    end

    first[names.X86_PV_P2M_FRAMES] = function(self, record)
        static_data(self, record)
        pv_info(self, record)
    end

    first[names.SHARED_INFO] = pv_info

    first[names.X86_TSC_INFO] = function(self)
        self.memory_open = self.memory_open and self.converted
    end

    first[names.VERIFY] = function(self, record)
        local place
        if self.checkpoint[names.X86_TSC_INFO] then
            place = "after X86_TSC_INFO"
        elseif not self.checkpoint[names.PAGE_DATA] and self.whole then
            place = "before any memory"
        end
        if place then
            tell(record, "libxc-verify-place", { place = place })
        end
    end

    for _, kind in ipairs(facts.vcpu) do
        each[kind] = function(self, record)
            if not self.checkpoint[names.SHARED_INFO] and self.whole and not self.converted then
                tell(record, "libxc-vcpu-early")
            end
        end
    end

    each[names.TOOLSTACK] = function(_, record)
        tell(record, "libxc-toolstack", { actual = record.length })
    end

    each[names.CHECKPOINT_DIRTY_PFN_LIST] = function(_, record)
        tell(record, "libxc-dirty-pfn-list-forward", { actual = record.length })
    end

    each[names.CHECKPOINT] = function(self, record)
        end_of_checkpoint(self, record)
        self.checkpoints = self.checkpoints + 1
        self.last_checkpoint = record.stop
        self.checkpoint = {}
        self.memory_open = false
    end

    each[names.END] = function(self, record)
        self.ended = true
        static_data(self, record)
        pv_info(self, record)
        -- Xen 4.6 ended a checkpointed stream that failed with END, straight after a CHECKPOINT.
        local behind_checkpoint = self.checkpoints > 0
        for kind in pairs(self.checkpoint) do
            behind_checkpoint = behind_checkpoint and kind == names.END
        end
        if not behind_checkpoint then
            end_of_checkpoint(self, record)
        end
    end
end
