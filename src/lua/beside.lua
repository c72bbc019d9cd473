-- Modules and chunks of a safe script come from below its own directory. `read` gives what is in
-- such a file, or nil and why not. Runs before the script, which can reach none of these locals.
local read = ...
local load, error, package = load, error, package
local gsub, gmatch, format = string.gsub, string.gmatch, string.format

package.path = "./?.lua;./?/init.lua"

local function chunk_of(path, ...)
  local text, problem = read(path)
  if not text then
    return nil, problem
  end
  -- as in a program that names its interpreter
  text = gsub(text, "^#[^\n]*", "", 1)
  return load(text, "@" .. path, "t", ...)
end

function _G.loadfile(path, mode, ...)
  if path == nil then
    error("a path is needed: standard input is not for scripts", 2)
  end
  return chunk_of(path, ...)
end

function _G.dofile(path)
  if path == nil then
    error("a path is needed: standard input is not for scripts", 2)
  end
  local chunk, problem = chunk_of(path)
  if not chunk then
    error(problem, 0)
  end
  return chunk()
end

function package.searchpath(name, path, sep, rep)
  sep, rep = sep or ".", rep or "/"
  if sep ~= "" then
    local pattern = gsub(sep, "%p", "%%%0")
    name = gsub(name, pattern, function() return rep end)
  end
  local tried = ""
  for template in gmatch(path, "[^;]+") do
    local file = gsub(template, "%?", function() return name end)
    local text, problem = read(file)
    if text then
      return file
    end
    tried = tried .. "\n\t" .. problem
  end
  return nil, tried
end

local searchpath = package.searchpath
package.searchers[2] = function(name)
  local path, problem = searchpath(name, package.path)
  if not path then
    return problem
  end
  local chunk, syntax = chunk_of(path)
  if not chunk then
    error(format("cannot load module '%s' from '%s': %s", name, path, syntax), 0)
  end
  return chunk, path
end
