"""Pages: perigee.html, templates and their mistakes, and cookies on whatever answer is sent."""

import unittest

from harness import ServerCase, run_perigee

APP = """
local perigee = require "perigee"
local app = perigee.app()
local page = perigee.template "page.html"

app:get("/hi", { limits = {} }, function(req)
  return perigee.html("<h1 style='color: {color}'>Hi</h1>{n}", { color = req.query.color or "", n = 7 })
end)
app:get("/plain", function() return perigee.html("<b>{not_replaced}</b>") end)
app:get("/outer", function() return 201, perigee.html("<b>{x}</b>", { x = 1 }), { ["x-a"] = { "1", "2" } } end)
app:get("/missing", function() return perigee.html("{nobody}", {}) end)
app:get("/page", function(req)
  return perigee.html(page, { title = "Tea & more", query = req.query.q or "", items = { "<one>", "two" } })
end)
app:get("/called", function() return 202, page { title = "t", query = "", items = {} } end)
app:get("/text", function() return page:render { title = "t", query = "", items = {} } end)
app:get("/named", function(req) return perigee.html(perigee.template(req.query.name), {}) end)
app:get("/broken", function() return perigee.html(perigee.template "broken.html", {}) end)
app:get("/syntax", function() return perigee.html(perigee.template "syntax.html", {}) end)

local function set(req) req:set_cookie("seen", "1") req:delete_cookie("old") end
app:get("/cookies/text", function(req) set(req) return "text" end)
app:get("/cookies/table", function(req) set(req) return { a = 1 } end)
app:get("/cookies/page", function(req) set(req) return perigee.html("x") end)
app:get("/cookies/nothing", function(req) set(req) end)
app:get("/cookies/redirect", function(req) set(req) return perigee.redirect("/") end)
app:get("/cookies/problem", function(req) set(req) return perigee.problem(404) end)
app:get("/cookies/raised", function(req) set(req) error(perigee.problem(403)) end)
app:get("/cookies/failed", function(req) set(req) error("no") end)
app:get("/cookies/wrong", function(req) set(req) return true end)
app:get("/cookies/stream", function(req) set(req) return perigee.stream(function(write) write("x") end) end)
app:not_found(function(req) set(req) return 404, "nothing here" end)
return app
"""

LAYOUT = """<!doctype html>
<title>{% block title %}{% endblock %}</title>
{% block body %}{% endblock %}
"""

PAGE = """{% extends "layout.html" %}
{% block title %}{{ title }}{% endblock %}
{% block body %}
<input value="{{ query }}">
<ul>
  {% for _, item in ipairs(items) do %}
  {% include "parts/item.html", { item = item } %}
  {% end %}
</ul>
{% endblock %}
"""

FILES = {
    "templates/layout.html": LAYOUT, "templates/page.html": PAGE,
    "templates/parts/item.html": "  <li>{{ item }}</li>\n",
    "templates/broken.html": "<p>\n{{ user.name }}\n</p>",
    "templates/syntax.html": "<p>\n\n{% if %}\n</p>",
    "secret.html": "secret",
}


class Pages(ServerCase):
    APP = APP
    FILES = FILES

    def test_html_fills_names_escaped(self):
        response = self.get("/hi?color='><script>alert(1)</script>")
        self.assertEqual(response.header("content-type"), "text/html; charset=utf-8")
        self.assertEqual(response.text,
                         "<h1 style='color: &#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'>Hi</h1>7")
        self.assertEqual(self.get("/plain").text, "<b>{not_replaced}</b>")

    def test_status_and_headers_beside_a_page_win(self):
        response = self.get("/outer")
        self.assertEqual((response.status, response.text, response.all("x-a")), (201, "<b>1</b>", ["1", "2"]))
        self.assertEqual(response.header("content-type"), "text/html; charset=utf-8")

    def test_a_name_without_a_value_is_a_500_that_names_it(self):
        since = len(self.server.stderr.text)
        self.assert_problem(self.get("/missing"), 500)
        self.assertRegex(self.server.stderr.wait(r"nothing to show for 'nobody'.*", since=since).group(0), r"app\.lua:\d+")

    def test_a_template_has_layout_loop_and_include(self):
        response = self.get('/page?q="%20onfocus="alert(1)')
        self.assertEqual(response.text, """<!doctype html>
<title>Tea &amp; more</title>
<input value="&quot; onfocus=&quot;alert(1)">
<ul>
  <li>&lt;one&gt;</li>
  <li>two</li>
</ul>

""")

    def test_a_template_is_an_answer_and_a_text(self):
        response = self.get("/called")
        self.assertEqual((response.status, response.header("content-type")), (202, "text/html; charset=utf-8"))
        self.assertEqual(self.get("/text").text, response.text)

    def test_a_mistake_names_template_and_line(self):
        for path, said in (("/broken", r"templates/broken\.html:2: attempt to index"),
                           ("/syntax", r"templates/syntax\.html:3: ")):
            since = len(self.server.stderr.text)
            self.assert_problem(self.get(path), 500)
            self.server.stderr.wait(said, since=since)

    def test_names_lead_nowhere_else(self):
        for name in ("../secret.html", "/etc/passwd", "parts/../../secret.html", "gone.html", "parts", ""):
            self.assert_problem(self.get("/named?name=" + name), 500)
        self.assertEqual(self.get("/named?name=layout.html").status, 200)

    def test_cookies_ride_on_whatever_answer_is_sent(self):
        for kind, status in (("text", 200), ("table", 200), ("page", 200), ("nothing", 204), ("redirect", 307),
                             ("problem", 404), ("raised", 403), ("failed", 500), ("wrong", 500), ("stream", 200),
                             ("nowhere", 404)):
            with self.subTest(kind=kind):
                response = self.get("/cookies/" + kind)
                self.assertEqual(response.status, status)
                cookies = response.all("set-cookie")
                self.assertEqual(len(cookies), 2, response)
                self.assertIn("seen=1", cookies[0])
                self.assertIn("Max-Age=0", cookies[1])


class Checking(ServerCase):
    def check(self, files):
        server = self.start("return require 'perigee'.app()", files=files)
        server.write("app.lua", 'local perigee = require "perigee"\nlocal page = perigee.template "page.html"\n'
                     "return perigee.app()\n")
        return run_perigee("check", "--app", "app.lua", cwd=server.directory)

    def test_check_finds_a_mistake_in_a_template_that_is_included(self):
        result = self.check({"templates/page.html": "{% include 'part.html' %}", "templates/part.html": "\n{{ a b }}"})
        self.assertEqual(result.returncode, 1)
        self.assertIn("templates/part.html:2:", result.stderr)

    def test_check_finds_a_template_that_is_not_there(self):
        result = self.check({})
        self.assertEqual(result.returncode, 1)
        self.assertIn("app.lua:2: no template 'page.html'", result.stderr)

    def test_a_reload_takes_up_changed_templates(self):
        server = self.start(APP, files=FILES)
        server.write("templates/parts/item.html", "<li>new {{ item }}</li>\n")
        server.reload()
        self.assertIn("<li>new two</li>", server.get("/page").text)


if __name__ == "__main__":
    unittest.main()
