-- The files of the admin port's pages, which travel inside the binary as modules of the same names.

local perigee = require "perigee"

local M = {}

local TYPES = {
  html = "text/html; charset=utf-8", css = "text/css; charset=utf-8", js = "text/javascript; charset=utf-8",
  svg = "image/svg+xml",
}
local HEADERS = {
  ["content-security-policy"] = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    .. "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ["cache-control"] = "no-cache", ["x-content-type-options"] = "nosniff", ["referrer-policy"] = "no-referrer",
  ["cross-origin-resource-policy"] = "same-origin", ["cross-origin-opener-policy"] = "same-origin",
}

--- A file as an answer; a page may use what the admin port serves and nothing else.
---@param name string
---@param text? string instead of what the file holds
---@return integer status, perigee.Response body, table<string, string> headers
function M.answer(name, text)
  return 200, perigee.bytes(text or require("admin.pages." .. name), TYPES[name:match("%.(%w+)$")]), HEADERS
end

--- Serves what pages load below /pages/.
---@param app perigee.App
---@param guarded fun(handler: function): function admits who may
---@param names string[]
function M.serve(app, guarded, names)
  for _, name in ipairs(names) do
    app:get("/pages/" .. name, guarded(function()
      return M.answer(name)
    end))
  end
end

return M
