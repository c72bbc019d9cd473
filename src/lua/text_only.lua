-- What stands between a safe interpreter and bytecode, which Lua runs unchecked: chunks are text,
-- wherever they come from. Runs before the script, which can reach none of these locals.
local load, loadfile, error, package = load, loadfile, error, package
local searchpath, format = package.searchpath, string.format

function _G.load(chunk, name, mode, ...)
  return load(chunk, name, "t", ...)
end

function _G.loadfile(path, mode, ...)
  if path == nil then
    error("a path is needed: standard input is not for scripts", 2)
  end
  return loadfile(path, "t", ...)
end

function _G.dofile(path)
  if path == nil then
    error("a path is needed: standard input is not for scripts", 2)
  end
  local chunk, problem = loadfile(path, "t")
  if not chunk then
    error(problem, 0)
  end
  return chunk()
end

package.searchers[2] = function(name)
  local path, problem = searchpath(name, package.path)
  if not path then
    return problem
  end
  local chunk, syntax = loadfile(path, "t")
  if not chunk then
    error(format("cannot load module '%s' from '%s': %s", name, path, syntax), 0)
  end
  return chunk, path
end
