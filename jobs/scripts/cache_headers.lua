-- A preprocess script: says how long browsers keep a file, and where S3 keeps it, by its extension.
--
--   lua.preprocess_script = "scripts/cache_headers.lua"
--
--   s3sync lua check jobs/scripts/cache_headers.lua --key video/intro.mp4 --size 40000000
--
-- It is asked about each object that is about to be written to S3, and may change everything but
-- its key and its content.

local year, hour = "max-age=31536000, immutable", "max-age=3600"

local kept = {
    html = "no-cache",
    css = year, js = year, woff2 = year,
    jpg = hour, png = hour, svg = hour, mp4 = hour,
}

local large = 1024 * 1024

function preprocess_callback(source, upload)
    local extension = source.key:lower():match("%.(%w+)$")
    upload.cache_control = kept[extension] or upload.cache_control
    -- large films are seldom seen, and take as little time to begin
    if extension == "mp4" and source.content_length >= large then
        upload.storage_class = "GLACIER_IR"
    end
    if extension == "map" then
        return false, upload     -- not for the public
    end
    return true, upload
end
