-- What specs are written with: describe and it say what holds, equal and raises check it. A failure names its line.

local M = { req = nil }

local names, cases = {}, {}

function M.describe(name, fn)
  names[#names + 1] = name
  fn()
  names[#names] = nil
end

function M.it(name, fn)
  cases[#cases + 1] = { name = table.concat(names, " ") .. " " .. name, fn = fn }
end

local function shown(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

--- Fails the spec unless `got` is `expected`.
function M.equal(expected, got)
  if expected ~= got then
    error(("expected %s, got %s"):format(shown(expected), shown(got)), 2)
  end
end

--- Fails the spec unless `fn(...)` raises `message`; where that is no string, the value itself.
function M.raises(message, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then
    error("expected an error, there was none", 2)
  elseif type(message) ~= "string" and err ~= message then
    error(("expected the error %s, got %s"):format(shown(message), shown(err)), 2)
  elseif type(message) == "string" and not tostring(err):find(message, 1, true) then
    error(("expected an error with %s in it, got %s"):format(shown(message), shown(err)), 2)
  end
end

--- Runs a file of specs within a request's handler.
---@return { count: integer, failures: string[] }
function M.run(name, req)
  M.req = req
  require(name)
  local failures = {}
  for _, case in ipairs(cases) do
    local ok, err = pcall(case.fn)
    if not ok then
      failures[#failures + 1] = ("%s: %s"):format(case.name, tostring(err))
    end
  end
  return { count = #cases, failures = failures }
end

return M
