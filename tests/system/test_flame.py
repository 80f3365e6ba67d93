"""The flame graph in Chromium: recorded, searched, zoomed, compared; with names that would like to be markup."""

import unittest

from browser import browse
from harness import ServerCase
from test_profile import Load

HOSTILE = "</script><img src=x onerror=alert(1)>"
APP = r"""
local perigee = require "perigee"
local app = perigee.app()
local turn = perigee.shared "turn"

local function first(n)
  local x = 0
  for i = 1, n do x = (x + i * 3) % 1000003 end
  return x
end

local hostile = {}
hostile["HOSTILE"] = function(n)
  local x = 0
  for i = 1, n do x = (x + i * 7) % 1000003 end
  return x
end

local function second(n)
  local text = ("abc "):rep(n):gsub("[xyz]", "q")
  return #text
end

app:get("/work", function()
  if turn:get "now" then
    return tostring(second(20000))
  end
  local one = first(400000)
  return tostring(one + hostile["HOSTILE"](100000))
end)
app:get("/turn", function() turn:set("now", true) return "turned" end)
return app
""".replace("HOSTILE", HOSTILE)


class Flame(ServerCase):
    APP = APP
    WORKERS = 1

    def test_in_a_browser(self):
        with Load(self.server, "/work", clients=1):
            found = browse("browse_flame.mjs", "http://{}:{}".format(*self.server.admin_address),
                           "http://{}:{}".format(*self.server.address), "first", "second")
        self.assertRegex(found["summary"], r"of CPU time in \d\.\d\d s")
        self.assertIn("lua", found["kinds"])
        self.assertIn("root", found["kinds"])
        self.assertRegex(found["hot"]["label"], r"first .*app\.lua")
        self.assertGreater(float(found["found"].split()[0]), 30, found)
        self.assertGreaterEqual(found["matched"], 1)
        self.assertGreater(found["zoomed"]["width"], found["hot"]["width"])  # fills the width
        self.assertEqual(found["back"]["width"], found["hot"]["width"])
        self.assertEqual("".join(found["legend"].split()), "grewshrank")
        self.assertRegex(found["grew"]["label"], r"\+\d+\.\d points since")
        red, green, blue = (int(part) for part in found["grew"]["colour"].strip("rgb()").split(","))
        self.assertGreater(red, max(green, blue) + 30, found["grew"])
        self.assertEqual((found["wide"], found["injected"]), (360, 0))
        self.assertEqual(found["compiler"], {"wide": 360, "hidden": 0})
        self.assertRegex(found["top"], r"\d+\.\d %")
        for order in found["orders"]:
            self.assertEqual((order["sorted"], order["seen"]), ("descending", True))
            self.assertEqual(order["shares"], sorted(order["shares"], reverse=True))


if __name__ == "__main__":
    unittest.main()
