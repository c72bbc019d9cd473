-- A filter: leaves out what is not a file yet, or not for keeping.
--
--   lua.filter_script = "scripts/skip_locked.lua"
--
--   s3sync lua check jobs/scripts/skip_locked.lua --key 'plans/~$budget.xlsx'
--
-- Office programs put a lock beside the file somebody works on, browsers and editors write under
-- another name until they are done. What has no content yet is left for the next run.

local beginnings = { "~$", ".~lock.", ".#", ".goutputstream-" }
local endings = { ".tmp", ".part", ".partial", ".crdownload", ".swp", "~" }

function filter(object)
    local name = object.key:match("[^/]*$")
    for _, beginning in ipairs(beginnings) do
        if name:sub(1, #beginning) == beginning then
            return false
        end
    end
    local lower = name:lower()
    for _, ending in ipairs(endings) do
        if lower:sub(-#ending) == ending then
            return false
        end
    end
    return object.size > 0
end
