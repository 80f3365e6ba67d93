-- What a request of a test costs: `build/release/perigee bench bench/test_app_bench.lua`; hello at most 3,000 ns/op.

local test = require "perigee.test"
local client = test.app "bench/app.lua"

bench("test app hello", function(b)
  for _ = 1, b.n do
    client:get("/")
  end
end)

bench("test app typed", function(b)
  local options = { query = { color = "green" }, cookies = { uid = "u1" } }
  for _ = 1, b.n do
    local res = client:get("/users/1234", options)
    if res.headers["x-color"] ~= "green" then
      error("not the color that was asked for")
    end
  end
end)
