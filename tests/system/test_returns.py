"""What a handler may return, and what goes over the wire for it."""

import email.utils
import unittest

from harness import ServerCase, request_bytes, wait_until

APP = """
local perigee = require "perigee"
local app = perigee.app()
local ended = {}

app:get("/string", function() return "text ä" end)
app:get("/empty", function() return "" end)
app:get("/table", function() return { message = "hi", list = { 1, 2 } } end)
app:get("/status", function() return 201, { id = 7 }, { location = "/users/7" } end)
app:get("/status-text", function() return 202, "later" end)
app:get("/lone/{status:integer}", function(req) return req.params.status end)
app:get("/nil", function() return nil end)
app:get("/nothing", function() end)
app:get("/nil-err", function() return nil, "the disk is on fire" end)
app:get("/wrong/true", function() return true end)
app:get("/wrong/function", function()
  return function() end -- line 18
end)
app:get("/wrong/number", function() return 1.5 end)
app:get("/wrong/status", function() return 99, "x" end)
app:get("/wrong/headers", function() return 200, "x", "y" end)

app:get("/text", function() return perigee.text("plain") end)
app:get("/json", function() return perigee.json({ 1, 2 }) end)
app:get("/bytes", function() return perigee.bytes("\\0\\1\\255", "image/x-test") end)
app:any("/redirect", function() return perigee.redirect("/there") end)
app:get("/redirect-301", function() return perigee.redirect("/there", 301) end)
app:get("/problem", function()
  return perigee.problem(409, "already there", { balance = 30 }, { ["retry-after"] = "7" })
end)
app:get("/outer", function() return 418, perigee.text("tea"), { ["x-outer"] = "1", ["content-type"] = "text/tea" } end)
local function deep(n)
  if n == 0 then error(perigee.problem(403, "no")) end
  return deep(n - 1) + 1
end
app:get("/thrown", function() return tostring(deep(30)) end)
app:get("/thrown-in-coroutine", function()
  return coroutine.wrap(function() error(perigee.problem(451, "not here")) end)()
end)

app:get("/stream", function()
  return perigee.stream(function(write)
    for i = 1, 5 do assert(write(("%d"):format(i):rep(1000))) end
    write("")
    write("end")
  end)
end)
app:get("/stream-waits", function()
  return 203, perigee.stream(function(write)
    write("one ") perigee.sleep(0.01) write("two")
  end), { ["content-type"] = "text/slow" }
end)
app:get("/stream-breaks", function() return perigee.stream(function(write) write("begun") error("stream broke") end) end)
app:get("/stream-fails", function()
  return perigee.stream(function(write) write("begun") perigee.sleep(0.01) error("stream broke") end)
end)

app:get("/header/cr", function() return 200, "x", { ["x-a"] = "1\\rEvil: 1" } end)
app:get("/header/lf", function() return 200, "x", { ["x-a"] = "1\\nEvil: 1" } end)
app:get("/header/nul", function() return 200, "x", { ["x-a"] = "1\\0" } end)
app:get("/header/name", function() return 200, "x", { ["x-a\\r\\nEvil"] = "1" } end)
app:get("/header/redirect", function() return perigee.redirect("/x\\r\\nEvil: 1") end)
app:get("/header/type", function() return perigee.bytes("x", "text/x\\r\\nEvil: 1") end)
app:get("/header/list", function() return 200, "x", { ["x-many"] = { "a", "b", "c" }, ["x-number"] = 7 } end)
app:get("/no-body/{status:integer}", function(req) return req.params.status, "must not be sent" end)

app:after(function(req, res) ended[#ended + 1] = req.path .. " " .. tostring(res.status) end)
app:get("/ended", function() return { ended = perigee.array(ended) } end)
app:start(function() print("worker " .. perigee.worker.id .. " of " .. perigee.worker.count .. " began") end)
app:stop(function() print("worker " .. perigee.worker.id .. " ended") end)
return app
"""

RENDERING = """
local perigee = require "perigee"
local app = perigee.app()
app:error(function(problem, req, err)
  if req.path == "/breaks-twice" then error("the renderer broke") end
  return problem.status, { shown = problem.status, title = problem.title, path = req.path, cause = err ~= nil }
end)
app:not_found(function(req) return 404, "nothing at " .. req.path end)
app:get("/breaks", function() error("broken") end)
app:get("/breaks-twice", function() error("broken") end)
app:get("/problem", function() error(perigee.problem(402, "pay")) end)
app:get("/typed/{n:integer}", function() end)
return app
"""


class Returns(ServerCase):
    APP = APP

    def test_a_string_is_text(self):
        response = self.get("/string")
        self.assertEqual((response.status, response.text), (200, "text ä"))
        self.assertEqual(response.header("content-type"), "text/plain; charset=utf-8")
        self.assertEqual(response.header("content-length"), "7")

    def test_an_empty_string_is_a_200_of_length_0(self):
        response = self.get("/empty")
        self.assertEqual((response.status, response.header("content-length")), (200, "0"))

    def test_a_table_is_json(self):
        response = self.get("/table")
        self.assertEqual(response.header("content-type"), "application/json")
        self.assertEqual(response.json(), {"message": "hi", "list": [1, 2]})

    def test_status_body_and_headers(self):
        response = self.get("/status")
        self.assertEqual((response.status, response.reason), (201, "Created"))
        self.assertEqual(response.header("location"), "/users/7")
        self.assertEqual(response.json(), {"id": 7})
        self.assertEqual((self.get("/status-text").status, self.get("/status-text").text), (202, "later"))

    def test_a_lone_status_is_that_status(self):
        for status in (200, 202, 204, 302):
            self.assertEqual(self.get(f"/lone/{status}").status, status)
        for status in (404, 409, 418, 500, 503, 599):
            self.assert_problem(self.get(f"/lone/{status}"), status)

    def test_a_lone_integer_that_is_no_status_is_an_error(self):
        for status in (0, 99, 100, 199, 600, -200):
            self.assert_problem(self.get(f"/lone/{status}"), 500)

    def test_nothing_and_nil_are_204(self):
        for path in ("/nil", "/nothing"):
            response = self.get(path)
            self.assertEqual((response.status, response.header("content-length")), (204, None))

    def test_nil_and_a_message_are_a_500_recorded_as_the_message(self):
        response = self.get("/nil-err")
        self.assert_problem(response, 500)
        self.assertNotIn("fire", response.text)
        self.server.stderr.wait("the disk is on fire")

    def test_a_wrong_type_is_a_500_naming_its_place(self):
        for path in ("/wrong/true", "/wrong/number", "/wrong/status", "/wrong/headers"):
            with self.subTest(path=path):
                self.assert_problem(self.get(path), 500)
        since = len(self.server.stderr.text)
        request_id = self.assert_problem(self.get("/wrong/function"), 500)["request_id"]
        self.server.stderr.wait(rf"{request_id}.*app\.lua:\d+.*function", since=since)

    def test_text_json_and_bytes(self):
        self.assertEqual((self.get("/text").text, self.get("/text").header("content-type")),
                         ("plain", "text/plain; charset=utf-8"))
        self.assertEqual((self.get("/json").json(), self.get("/json").header("content-type")), ([1, 2], "application/json"))
        self.assertEqual((self.get("/bytes").body, self.get("/bytes").header("content-type")), (b"\0\1\xff", "image/x-test"))

    def test_a_redirect_is_307_after_get_and_303_after_others(self):
        for method, status in (("GET", 307), ("HEAD", 307), ("POST", 303), ("PUT", 303), ("DELETE", 303)):
            response = self.server.fetch(method, "/redirect")
            self.assertEqual((response.status, response.header("location")), (status, "/there"), method)
        self.assertEqual(self.get("/redirect-301").status, 301)

    def test_a_problem_has_detail_extra_and_headers(self):
        response = self.get("/problem")
        problem = self.assert_problem(response, 409)
        self.assertEqual((problem["title"], problem["detail"], problem["balance"]), ("Conflict", "already there", 30))
        self.assertEqual(response.header("retry-after"), "7")

    def test_outer_status_and_headers_win(self):
        response = self.get("/outer")
        self.assertEqual((response.status, response.text, response.header("x-outer")), (418, "tea", "1"))
        self.assertEqual(response.all("content-type"), ["text/tea"])

    def test_a_thrown_problem_answers_from_any_depth(self):
        self.assertEqual(self.assert_problem(self.get("/thrown"), 403)["detail"], "no")
        self.assert_problem(self.get("/thrown-in-coroutine"), 451)

    def test_a_stream_is_chunked_and_whole(self):
        with self.server.client() as client:
            response = client.get("/stream")
            self.assertEqual(response.header("transfer-encoding"), "chunked")
            self.assertEqual(response.text, "".join(str(i) * 1000 for i in range(1, 6)) + "end")
            response = client.get("/stream-waits")
            self.assertEqual((response.status, response.text, response.header("content-type")), (203, "one two", "text/slow"))
            self.assertEqual(client.get("/string").status, 200)

    def test_a_stream_for_http_1_0_ends_with_the_connection(self):
        with self.server.client() as client:
            response = client.request("GET", "/stream", [("Connection", "keep-alive")], version="HTTP/1.0")
            self.assertIsNone(response.header("transfer-encoding"))
            self.assertTrue(response.text.endswith("5end"))
            self.assertTrue(client.ended)

    def test_a_stream_that_fails_is_cut_and_never_ended_as_if_whole(self):
        with self.server.client() as client:
            client.send_request("GET", "/stream-fails")
            self.assertEqual(client.read_head().status, 200)
            self.assertFalse(client.read_to_end().endswith(b"0\r\n\r\n"))
        self.server.stderr.wait("stream broke")

    def test_a_stream_that_fails_does_not_take_the_answers_before_it_along(self):
        with self.server.client() as client:
            client.send(request_bytes("GET", "/lone/202") + request_bytes("GET", "/stream-breaks"))
            self.assertEqual(client.read_response().status, 202)
            rest = client.read_to_end()
            self.assertIn(b"begun", rest)
            self.assertFalse(rest.endswith(b"0\r\n\r\n"))

    def test_a_head_of_a_stream_sends_no_body(self):
        with self.server.client() as client:
            self.assertEqual(client.request("HEAD", "/stream").status, 200)
            self.assertEqual(client.get("/string").text, "text ä")

    def test_cr_lf_and_nul_in_a_header_are_an_error_and_never_sent(self):
        for name in ("cr", "lf", "nul", "name", "redirect", "type"):
            with self.subTest(name=name):
                response = self.get("/header/" + name)
                self.assert_problem(response, 500)
                self.assertIsNone(response.header("evil"))
                self.assertIsNone(response.header("x-a"))

    def test_a_list_sends_the_field_once_an_item(self):
        response = self.get("/header/list")
        self.assertEqual(response.all("x-many"), ["a", "b", "c"])
        self.assertEqual(response.header("x-number"), "7")

    def test_head_says_the_length_get_would_have(self):
        with self.server.client() as client:
            for path in ("/string", "/table", "/status", "/bytes", "/problem"):
                get, head = client.get(path), client.request("HEAD", path)
                self.assertEqual(head.header("content-length"), get.header("content-length"), path)
                self.assertEqual(head.status, get.status)

    def test_204_and_304_have_no_body_whatever_was_returned(self):
        with self.server.client() as client:
            for status in (204, 304):
                client.send_request("GET", f"/no-body/{status}")
                response = client.read_response()
                self.assertEqual(response.status, status)
                self.assertIsNone(response.header("transfer-encoding"))
                self.assertEqual(client.get("/text").text, "plain")

    def test_every_answer_has_a_date_and_a_server_without_version(self):
        for path in ("/string", "/nil", "/thrown", "/nowhere"):
            response = self.get(path)
            self.assertEqual(response.header("server"), "perigee")
            self.assertIsNotNone(email.utils.parsedate_to_datetime(response.header("date")))
            self.assertEqual(len(response.all("date")), 1)

    def test_after_runs_once_per_answer_and_sees_it(self):
        self.get("/lone/202")
        wait_until(lambda: "/lone/202 202" in self.get("/ended").json()["ended"], "the after hook")
        self.assertIn("/lone/202 202", self.get("/ended").json()["ended"])

    def test_an_error_page_shows_the_request_id_and_nothing_else(self):
        problem = self.assert_problem(self.get("/nil-err"), 500)
        self.assertTrue(problem["request_id"])
        self.assertLessEqual(set(problem), {"type", "title", "status", "request_id", "instance"})
        self.server.stderr.wait(problem["request_id"])


class Hooks(ServerCase):
    def test_start_and_stop_run_once_per_worker(self):
        server = self.start(APP, workers=2)
        server.stderr.wait("worker .* of 2 began", count=2)
        server.stop()
        self.assertEqual(len(server.stderr.lines("worker .* of 2 began")), 2)
        self.assertEqual(len(server.stderr.lines("worker .* ended")), 2)

    def test_error_renders_every_error_answer(self):
        server = self.start(RENDERING)
        for path, status, cause in (("/breaks", 500, True), ("/problem", 402, None), ("/typed/x", 400, None)):
            response = server.get(path)
            self.assertEqual((response.status, response.json()["shown"]), (status, status))
            if cause is not None:
                self.assertIs(response.json()["cause"], cause)

    def test_a_renderer_that_fails_falls_back_to_the_built_in(self):
        server = self.start(RENDERING)
        self.assert_problem(server.get("/breaks-twice"), 500)
        server.stderr.wait("the renderer broke")

    def test_not_found_answers_unknown_paths(self):
        response = self.start(RENDERING).get("/nowhere/at/all")
        self.assertEqual((response.status, response.text), (404, "nothing at /nowhere/at/all"))


if __name__ == "__main__":
    unittest.main()
