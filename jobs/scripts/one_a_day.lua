-- A filter with a memory: of several dumps of a day, takes the first.
--
--   lua.filter_script = "scripts/one_a_day.lua"
--
--   s3sync lua check jobs/scripts/one_a_day.lua --key db/2026-11-23T02.sql --key db/2026-11-23T14.sql
--
-- Names sort by their time, and a filter is asked in the order of the keys. What a script keeps
-- lasts for the run of one pair. What has no date in its name always goes.

local taken = {}

function filter(object)
    local day = object.key:match("^.*%d%d%d%d%-%d%d%-%d%d")
    if day == nil then
        return true
    end
    local is_first = taken[day] == nil
    taken[day] = true
    return is_first
end
