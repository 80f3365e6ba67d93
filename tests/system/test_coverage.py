"""`perigee test --coverage`: which lines of an app its tests have run."""

import unittest

from folder_case import FolderCase

APP = '''local perigee = require "perigee"
local helper = require "helper"
local app = perigee.app()

app:get("/sign/{n:integer}", function(req)
  if req.params.n < 0 then
    return "negative"
  end
  return helper.positive()
end)

app:get("/never", function()
  -- a remark
  local a = 1

  return tostring(a)
end)

return app
'''
HELPER = 'local M = {}\nfunction M.positive()\n  return "<positive>"\nend\nfunction M.unused()\n  return 1\nend\nreturn M\n'
SPEC = '''local client = require "perigee.test".app "lua/app.lua"
it("is positive", function()
  for _ = 1, 3 do assert.equal("<positive>", client:get("/sign/5").body) end
end)
'''


class Coverage(FolderCase):
    FILES = {"lua/app.lua": APP, "lua/helper.lua": HELPER, "tests/app_spec.lua": SPEC}

    def test_lines_are_counted_in_a_table_and_on_a_page(self):
        result = self.perigee("test", "--coverage")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"lua/app\.lua +13 +10 +76\.9%  7, 14-16\n")
        self.assertRegex(result.stdout, r"lua/helper\.lua +8 +7 +87\.5%  6\n")
        self.assertRegex(result.stdout, r"all +21 +17 +81\.0%\n")
        self.assertNotIn("app_spec.lua ", result.stdout.split("file ")[1])
        self.assertIn("page: build/coverage/index.html", result.stdout)
        page = (self.folder / "build/coverage/index.html").read_text()
        self.assertIn('<span class=hit title="3 times"><i>9</i>  return helper.positive()</span>', page)
        self.assertIn('<span class=missed title="0 times"><i>14</i>  local a = 1</span>', page)
        self.assertIn('<span title="no code"><i>13</i>  -- a remark</span>', page)
        self.assertIn("return &quot;&lt;positive&gt;&quot;", page)

    def test_a_module_that_a_test_requires_itself_counts_too(self):
        self.write("tests/app_spec.lua",
                   'local helper = require "helper"\nit("x", function() assert.equal(1, helper.unused()) end)\n')
        result = self.perigee("test", "--coverage", "--coverage-dir", "cov")
        self.assertRegex(result.stdout, r"lua/helper\.lua +8 +7 +87\.5%  3\n")
        self.assertTrue((self.folder / "cov/index.html").exists())

    def test_what_runs_in_the_background_counts_too(self):
        self.write("lua/app.lua",
                   'local perigee = require "perigee"\n'
                   'return perigee.app():get("/", function() return perigee.run("helper", "positive") end)\n')
        self.write("tests/app_spec.lua",
                   'local client = require "perigee.test".app "lua/app.lua"\n'
                   'it("x", function() assert.equal("<positive>", client:get("/").body) end)\n')
        result = self.perigee("test", "--coverage")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"lua/helper\.lua +8 +7 +87\.5%  6\n")

    def test_a_page_that_can_not_be_written_is_said(self):
        self.write("taken", "")
        result = self.perigee("test", "--coverage", "--coverage-dir", "taken")
        self.assertEqual((result.returncode, result.stderr), (1, "perigee: taken/index.html can't be written: Not a directory\n"))


if __name__ == "__main__":
    unittest.main()
