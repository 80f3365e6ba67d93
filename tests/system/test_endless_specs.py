"""`perigee test`: Lua that never ends, in an app that a test loads."""

import unittest

from folder_case import FolderCase


class EndlessSpecs(FolderCase):
    def errors_of(self, spec, *arguments):
        self.write("tests/app_spec.lua", spec)
        result = self.perigee("test", *arguments)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        return result.stdout

    def test_what_never_ends_in_an_app_ends_with_its_test(self):
        self.write("lua/endless.lua", "while true do end")
        self.write("lua/restless.lua", r'''
local perigee = require "perigee"
return perigee.app():start(function() perigee.every(0.001, function() for _ = 1, 1e5 do end end) end)''')
        said = self.errors_of(r'''
local test = require "perigee.test"
it("loads", function() test.app "lua/endless.lua" end)
it("is fine", function() end)
it("moves the clock", function() test.app "lua/restless.lua" test.clock:advance(math.huge) end)''',
                          "--timeout", "0.3")  # of processor time, and of a busy machine's there is less
        self.assertIn("1 success / 0 failures / 2 errors", said)
        self.assertIn("the app does not load:\nlua/endless.lua:1: the app did not load", said)


if __name__ == "__main__":
    unittest.main()
