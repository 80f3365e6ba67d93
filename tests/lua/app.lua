-- The app that runs a file of specs: tests/script/lua_library_test.cc asks it by the file's name.

local perigee = require "perigee"
local spec = require "spec"

local app = perigee.app()

app:post("/specs/{name}/{number:integer}", function(req)
  local result = spec.run(req.params.name, req)
  return ("%d\n%s"):format(result.count, table.concat(result.failures, "\n"))
end)

return app
