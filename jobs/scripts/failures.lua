-- An event script: writes a line of JSON to the log for each warning and for what ends a pair.
--
--   lua.event_script = "scripts/failures.lua"
--
--   s3sync lua check jobs/scripts/failures.lua --key ledgers/2026-11.csv
--
-- Whoever wants them in a file of their own opens one with io.open, with
-- lua.allow_os_library = true.

local SYNC_WARNING, PIPELINE_ERROR = 1 << 10, 1 << 11

-- s3sync 1.x has only print
local say = log and log.warn or print

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quoted(text)
    local escaped = tostring(text):gsub('[%c"\\]', function(letter)
        return escapes[letter] or string.format("\\u%04x", letter:byte())
    end)
    return '"' .. escaped .. '"'
end

function on_event(event)
    if event.event_type ~= SYNC_WARNING and event.event_type ~= PIPELINE_ERROR then
        return
    end
    local fields = {}
    for _, name in ipairs({ "name", "pair", "run_id", "key", "message" }) do
        if event[name] ~= nil then
            fields[#fields + 1] = quoted(name) .. ":" .. quoted(event[name])
        end
    end
    say("{" .. table.concat(fields, ",") .. "}")
end
