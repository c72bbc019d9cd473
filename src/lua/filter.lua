-- Asks the script's filter about one object. `pair` and `run_id` are the same for all.
local pair, run_id = ...
return function(key, size, last_modified, version_id, e_tag, checksum_algorithm, checksum_type,
    is_latest, is_delete_marker)
  if filter == nil then
    error("it has no function `filter` any more", 0)
  end
  return filter({
    key = key,
    size = size,
    last_modified = last_modified,
    version_id = version_id,
    e_tag = e_tag,
    checksum_algorithm = checksum_algorithm,
    checksum_type = checksum_type,
    is_latest = is_latest,
    is_delete_marker = is_delete_marker,
    pair = pair,
    run_id = run_id,
  })
end
