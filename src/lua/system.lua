-- What `os` and `io` must not do to the program around them.
local os, io, error = os, io, error

-- it would end the program in the middle of everything
function os.exit()
  error("os.exit is not for scripts: return from the function, or raise an error", 2)
end

-- it would change how every other interpreter compares strings and reads numbers
function os.setlocale(locale)
  if locale == nil or locale == "C" or locale == "POSIX" then
    return "C"
  end
  return nil
end

-- stdout is for results; who means it says io.stdout:write
io.output(io.stderr)
