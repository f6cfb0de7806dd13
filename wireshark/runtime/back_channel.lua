-- The loop of COLO as its receiver tells it: core/check/back_channel.py, whose tables are generated.
local back_channel = {}
do
    local facts = definitions.back_channel
    local names = definitions.record_numbers
    local tell = rules.tell
    local channel = {}
    channel.__index = channel

    function back_channel.new()
        -- `next` is nil while it is not known what comes next.
        return setmetatable({ next = nil, told = false }, channel)
    end

    -- The banner has passed: what follows is there from its beginning.
    function channel:begin()
        self.next = facts.first
    end

    -- Records may have been missed.
    function channel:gap()
        self.next = nil
    end

    local function words(said)
        if said == facts.list then
            return definitions.records.libxc[names.libxc.CHECKPOINT_DIRTY_PFN_LIST].name
        end
        return structs.meaning(definitions.enumerations[definitions.body_rules.checkpoint_state], said)
    end

    -- Take a record of which `body` is there, or of a list at least its header; a list has `record.extra` bytes behind that.
    function channel:record(record, body)
        local found = facts.list
        if record.layer == "libxl" then
            found = numbers.u32(body, 1, record.order)
        elseif record.extra and not self.told then
            -- Every list of such a receiver has it.
            self.told = true
            tell(record, "colo-dirty-list-header", { expected = 8, actual = 8 + record.extra })
        end
        if self.next and found ~= self.next then
            tell(record, "colo-order", { said = words(found), instead = words(self.next) })
        end
        self.next = facts.follows[found]
    end
end
