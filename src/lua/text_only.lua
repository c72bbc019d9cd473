-- What stands between an interpreter and what nothing could stop: bytecode, which Lua runs unchecked,
-- and finalizers, which run without a look at the clock. Runs before the script, which can reach none of these locals.
local load, loadfile, error, package = load, loadfile, error, package
local searchpath, format = package.searchpath, string.format
local setmetatable, rawget, type = setmetatable, rawget, type

function _G.setmetatable(table, metatable)
  if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
    error("__gc is not for scripts: no limit holds in a finalizer", 2)
  end
  return setmetatable(table, metatable)
end

-- files have a finalizer, which is not to be another
if io then
  getmetatable(io.stdout).__metatable = "file"
end

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
