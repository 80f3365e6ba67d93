local test = require "perigee.test"
local client = test.app "app.lua"

bench("hi", function(b)
  for _ = 1, b.n do
    client:get("/hi?color=red")
  end
end)

bench("hi parallel", { parallel = true }, function(b)
  for _ = 1, b.n do
    client:get("/hi?color=red")
  end
end)
