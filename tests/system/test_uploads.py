"""Forms of both kinds, the files in them, and the disk they go to."""

import hashlib
import os
import resource
import stat
import tempfile
import unittest

from harness import ServerCase, request_bytes, wait_until

APP = """
local perigee = require "perigee"
local app, t = perigee.app(), perigee.types
local kept

app:get("/", function() return "root" end)
local LARGE = { limits = { body = "400MB" } }
app:post("/form", LARGE, function(req)
  return { form = req.form, a = perigee.array(req:form_all("a")), none = #req:form_all("none"), files = #req:files() }
end)
app:post("/files", LARGE, function(req)
  local list = perigee.array()
  for i, file in ipairs(req:files()) do
    list[i] = { name = file.name, filename = file.filename, type = file.type, size = file.size, text = file:read(20),
      next = file:read(5), shown = tostring(file) }
  end
  return list
end)
app:post("/move", LARGE, function(req)
  local file = req:files()[1]
  local options = req.form.overwrite and { overwrite = true } or nil
  local ok, err = file:move(req.form.path, options)
  return { ok = ok, err = err, rest = file:read(3) }
end)
app:post("/twice", LARGE, function(req)
  local file = req:files()[1]
  file:move("twice", { overwrite = true })
  local ok, err = pcall(file.move, file, "again")
  return tostring(err)
end)
app:post("/keep", LARGE, function(req) kept = req:files()[1] return kept.filename end)
app:get("/kept", function()
  local ok, err = pcall(kept.read, kept)
  return kept.name .. " " .. tostring(err)
end)
app:post("/order/{first}", LARGE, function(req)
  local _
  if req.params.first == "body" then _ = req.body else _ = req.form end
  local ok, err = pcall(function() if req.params.first == "body" then return req.form.a end return req.body end)
  return tostring(ok) .. " " .. tostring(err)
end)
app:post("/catch", LARGE, function(req)
  local ok, problem = pcall(function() return req.form end)
  return { ok = ok, status = problem.status }
end)
app:post("/sum", LARGE, function(req)
  local size = 0
  local file = req:files()[1]
  for bytes in function() return file:read(100000) end do size = size + #bytes end
  return { size = size, same = size == file.size }
end)
local FORM = { n = t.integer, tags = t.list(t.string), title = t.string:optional() }
app:post("/typed", { form = FORM, limits = LARGE.limits }, function(req)
  return { n = req.form.n, tags = perigee.array(req.form.tags), files = #req:files(), title = #(req.form.title or "") }
end)
app:post("/typed/body", { body = t.object { list = t.list(t.integer) }, limits = LARGE.limits }, function(req)
  return { n = #req.body.list }
end)
app:post("/refuse", LARGE, function() return 403, "no" end)
app:post("/wait", LARGE, function(req)
  local files = req:files()
  perigee.sleep(20)
  return #files .. ""
end)
app:put("/count", { limits = { body = "400MB" } }, function(req)
  local size = 0
  for bytes in function() return req:read(65536) end do size = size + #bytes end
  return size .. ""
end)
return app
"""

TYPE = [("Content-Type", "multipart/form-data; boundary=AaB03x")]
URLENCODED = [("Content-Type", "application/x-www-form-urlencoded")]
END = b"--AaB03x--\r\n"


def field(name, value, more=""):
    value = value.encode() if isinstance(value, str) else value
    return f'--AaB03x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def file(name, filename, content, kind="application/octet-stream"):
    return field(name, content, f'; filename="{filename}"\r\nContent-Type: {kind}')


class UploadCase(ServerCase):
    APP = APP

    def post(self, target, *parts, headers=TYPE, server=None):
        return (server or self.server).fetch("POST", target, headers, b"".join(parts))

    def quiet(self, server):
        """How many descriptors the server has while nobody is connected."""
        counts = []

        def settled():
            counts.append(server.descriptors())
            return len(counts) > 2 and len(set(counts[-3:])) == 1
        wait_until(settled, "the connections to be gone")
        return counts[-1]


class Forms(UploadCase):
    def test_fields_of_both_kinds_are_first_values_and_all_of_them(self):
        expected = {"form": {"a": "1 &", "b": ""}, "a": ["1 &", "2"], "none": 0, "files": 0}
        self.assertEqual(self.post("/form", b"a=1+%26&b=&a=2", headers=URLENCODED).json(), expected)
        self.assertEqual(self.post("/form", field("a", "1 &"), field("b", ""), field("a", "2"), END).json(), expected)

    def test_large_forms_are_read_as_small_ones_are(self):
        for size in (70_000, 3_000_000):
            with self.subTest(size=size):
                text = "x" * size
                answer = self.post("/form", b"a=" + text.encode(), headers=URLENCODED).json()
                self.assertEqual(answer["form"], {"a": text})
                answer = self.post("/form", field("a", text), field("b", "2"), END).json()
                self.assertEqual((answer["form"], answer["a"]), ({"a": text, "b": "2"}, [text]))

    def test_a_body_of_another_type_is_no_form(self):
        for headers in ((), [("Content-Type", "text/plain")], [("Content-Type", "multipart/mixed; boundary=AaB03x")]):
            answer = self.post("/form", field("a", "1"), END, headers=headers).json()
            self.assertEqual(answer, {"form": {}, "a": [], "none": 0, "files": 0})

    def test_a_form_of_too_many_fields_is_400(self):
        self.assertEqual(len(self.post("/form", "&".join(f"a{i}=1" for i in range(1000)).encode(),
                                       headers=URLENCODED).json()["form"]), 1000)
        self.assertEqual(len(self.post("/form", *(field(f"a{i}", "1") for i in range(1000)), END).json()["form"]), 1000)
        for count in (1001, 10_000):
            for response in (self.post("/form", "&".join(f"a{i}=1" for i in range(count)).encode(), headers=URLENCODED),
                             self.post("/form", *(field(f"a{i}", "1") for i in range(count)), END)):
                problem = self.assert_problem(response, 400)
                self.assertIn("limits.form_fields", problem["detail"])

    def test_what_is_malformed_is_400_small_or_large(self):
        pad = field("pad", "x" * 100_000)
        table = {
            "no end": (TYPE, field("a", "1")),
            "nothing": (TYPE, b""),
            "another boundary": (TYPE, field("a", "1").replace(b"AaB03x", b"other") + b"--other--"),
            "no name": (TYPE, b"--AaB03x\r\nContent-Disposition: form-data\r\n\r\n1\r\n" + END),
            "nested": (TYPE, field("a", "1", "\r\nContent-Type: multipart/mixed; boundary=x") + END),
            "header bomb": (TYPE, field("a", "1", "\r\nX: " + "y" * 10_000) + END),
            "many headers": (TYPE, field("a", "1", "\r\nX: y" * 2000) + END),
            "no boundary": ([("Content-Type", "multipart/form-data")], field("a", "1") + END),
            "long boundary": ([("Content-Type", "multipart/form-data; boundary=" + "x" * 71)], field("a", "1") + END),
        }
        for what, (headers, body) in table.items():
            for before in (b"", pad):
                with self.subTest(what=what, large=bool(before)):
                    problem = self.assert_problem(self.post("/form", before, body, headers=headers), 400)
                    self.assertTrue(problem["detail"])

    def test_a_form_cut_anywhere_is_400_and_the_server_lives(self):
        whole = field("a", "1") + file("f", "x", "content") + END
        with self.server.client() as client:
            for size in range(len(whole) - 2):
                with self.subTest(size=size):
                    self.assertEqual(client.request("POST", "/form", TYPE, whole[:size]).status, 400)
            self.assertEqual(client.request("POST", "/form", TYPE, whole).status, 200)

    def test_a_form_that_comes_byte_by_byte_is_the_same(self):
        body = field("a", "1") + file("f", "x", "y" * 2000) + END
        with self.server.client() as client:
            client.send_split(request_bytes("POST", "/form", TYPE, body))
            self.assertEqual(client.read_response().json()["files"], 1)

    def test_a_handler_may_catch_what_is_wrong_and_the_connection_goes_on(self):
        with self.server.client() as client:
            response = client.request("POST", "/catch", TYPE, field("a", "1"))
            self.assertEqual(response.json(), {"ok": False, "status": 400})
            self.assertFalse(response.closes)
            self.assertEqual(client.get("/").text, "root")

    def test_body_first_and_form_then_work_and_the_other_way_round_is_an_error(self):
        self.assertEqual(self.post("/order/body", field("a", "1"), END).text, "true 1")
        self.assertEqual(self.post("/order/body", field("a", "1"), field("b", "x" * 100_000), END).text, "true 1")
        for more in (b"", field("b", "x" * 100_000)):
            self.assertIn("the body was read as a multipart form", self.post("/order/form", field("a", "1"), more, END).text)


class Typed(UploadCase):
    def test_a_forms_types_hold_for_both_kinds_small_and_large(self):
        for size in (3, 200_000):
            answer = {"n": 7, "tags": ["a", "b"], "files": 0, "title": size}
            with self.subTest(size=size):
                urlencoded = "n=7&tags=a&tags=b&title=" + "x" * size
                self.assertEqual(self.post("/typed", urlencoded.encode(), headers=URLENCODED).json(), answer)
                parts = [field("n", "7"), field("tags", "a"), field("tags", "b"), field("title", "x" * size)]
                self.assertEqual(self.post("/typed", *parts, END).json(), answer)
                self.assertEqual(self.post("/typed", *parts, file("f", "x", "y"), END).json(), {**answer, "files": 1})

    def test_what_is_wrong_with_a_form_is_told_for_both_kinds(self):
        for response in (self.post("/typed", b"n=x", headers=URLENCODED), self.post("/typed", field("n", "x"), END),
                         self.post("/typed", field("n", "x"), field("pad", "x" * 100_000), END)):
            errors = self.assert_problem(response, 400)["errors"]
            self.assertEqual({each["name"] for each in errors}, {"n", "tags"})

    def test_a_large_body_of_another_type_is_415_and_a_large_json_body_is_read(self):
        for size in (10, 200_000):
            self.assert_problem(self.post("/typed", b"x" * size, headers=[("Content-Type", "text/plain")]), 415)
        body = '{"list":[' + ",".join(["1"] * 100_000) + "]}"
        response = self.post("/typed/body", body.encode(), headers=[("Content-Type", "application/json")])
        self.assertEqual(response.status, 200, response)
        self.assertEqual(response.json(), {"n": 100_000})


class Files(UploadCase):
    def test_files_have_names_types_sizes_and_bytes(self):
        files = self.post("/files", field("a", "1"), file("f", "../../etc/x\\wd", b"0123456789" * 100_000, "image/png"),
                          file("empty", "", ""), file("g", "g.txt", "abc"), END).json()
        self.assertEqual(files, [
            {"name": "f", "filename": "wd", "type": "image/png", "size": 1_000_000, "text": "01234567890123456789",
             "next": "01234", "shown": "perigee.File (wd)"},
            {"name": "g", "filename": "g.txt", "type": "application/octet-stream", "size": 3, "text": "abc",
             "shown": "perigee.File (g.txt)"}])

    def move(self, path, content, overwrite=False, server=None):
        return self.post("/move", field("path", path), field("overwrite", "1") if overwrite else b"",
                         file("f", "x", content), END, server=server).json()

    def test_a_moved_file_stays_whole_under_its_name(self):
        for size in (10, 5_000_000):
            content = os.urandom(size // 2).hex().encode()
            with self.subTest(size=size):
                path = f"kept-{size}"
                answer = self.post("/move", field("path", path), file("f", "x", content), END)
                self.assertEqual(answer.status, 200, answer)
                kept = self.server.directory / path
                self.assertEqual(hashlib.sha256(kept.read_bytes()).digest(), hashlib.sha256(content).digest())
                mask = os.umask(0)
                os.umask(mask)
                self.assertEqual(stat.S_IMODE(kept.stat().st_mode), 0o666 & ~mask)

    def test_moving_over_a_file_wants_to_be_asked_for(self):
        path = self.server.directory / "there"
        for size in (10, 200_000):
            path.write_text("old")
            self.assertRegex(self.move("there", "x" * size)["err"], "^exists: there: ")
            self.assertEqual(path.read_text(), "old")
            self.assertEqual(self.move("there", "x" * size, overwrite=True), {"ok": True, "rest": "xxx"})
            self.assertEqual(path.stat().st_size, size)
        self.assertEqual([each.name for each in self.server.directory.iterdir() if "part" in each.name], [])

    def test_a_file_that_can_not_be_moved_says_why(self):
        for size in (10, 200_000):
            self.assertRegex(self.move("no/such/folder", "x" * size)["err"], "^not found: ")
        self.assertIn("moved already", self.post("/twice", file("f", "x", "y"), END).text)
        self.assertEqual(self.post("/move", field("path", ""), file("f", "x", "y"), END).status, 500)

    def test_files_end_with_their_request(self):
        self.assertEqual(self.post("/keep", file("f", "x", "y" * 100_000), END).text, "x")
        self.assertRegex(self.server.get("/kept").text, r"^f .*request has ended$")

    def test_nothing_stays_open_whatever_becomes_of_the_upload(self):
        server = self.start(APP, settings={"server.drain": 0.5})
        before = self.quiet(server)
        large = file("f", "x", "y" * 300_000)
        for _ in range(5):
            self.post("/files", large, large, END, server=server)
            self.post("/files", large, large, server=server)
            self.post("/refuse", large, END, server=server)
            for target in ("/wait", "/files"):
                with server.client() as client:
                    client.send(request_bytes("POST", target, [*TYPE, ("Content-Length", "1000000")]) + large + large)
                    client.abort() if target == "/wait" else client.half_close()
        self.assertEqual(self.quiet(server), before)
        self.assertEqual(server.get("/").text, "root")


class Disk(UploadCase):
    LARGE = file("f", "x", "y" * 300_000)

    def test_a_file_that_may_not_grow_is_507_and_in_the_log(self):
        server = self.start(APP)
        before = self.quiet(server)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        for _ in range(3):
            self.assert_problem(self.post("/files", self.LARGE, END, server=server), 507)
        server.stderr.wait("an upload can't be kept in .*: File too large", count=3)
        self.assertEqual(len(self.post("/files", file("f", "x", "y" * 100_000), END, server=server).json()), 1)
        self.assertEqual(self.quiet(server), before)

    def test_a_full_disk_is_507_for_the_move_too(self):
        server = self.start(APP, settings={"http.upload_folder": "/dev/shm"})
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        small = file("f", "x", "y" * 150_000)
        self.assertEqual(self.post("/move", field("path", "fits"), small, END, server=server).json()["ok"], True)
        self.assert_problem(self.post("/files", self.LARGE, END, server=server), 507)

    def start_and_lose_the_folder(self):
        folder = tempfile.mkdtemp(suffix="-none")
        server = self.start(APP, config=f"[http]\nupload_folder = \"{folder}\"\n")
        os.rmdir(folder)
        return server

    def test_a_folder_that_is_gone_is_500_and_small_files_work_on(self):
        server = self.start_and_lose_the_folder()
        problem = self.assert_problem(self.post("/files", self.LARGE, END, server=server), 500)
        self.assertNotIn("none", problem.get("detail", ""))
        server.stderr.wait("an upload can't be kept in .*-none: No such file or directory")
        self.assertEqual(len(self.post("/files", file("f", "x", "y"), END, server=server).json()), 1)

    def test_more_files_on_disk_than_allowed_are_413(self):
        server = self.start(APP, settings={"limits.form_files": 3})
        self.assertEqual(len(self.post("/files", self.LARGE * 3, END, server=server).json()), 3)
        problem = self.assert_problem(self.post("/files", self.LARGE * 4, END, server=server), 413)
        self.assertIn("limits.form_files", problem["detail"])
        many = [file("f", "x", "y")] * 900
        self.assertEqual(len(self.post("/files", *many, END, server=server).json()), 900)

    def test_out_of_descriptors_an_upload_is_500_and_the_server_serves_on(self):
        server = self.start(APP, descriptors=40)
        self.assert_problem(self.post("/files", self.LARGE * 40, END, server=server), 500)
        self.assertEqual(len(self.post("/files", self.LARGE, END, server=server).json()), 1)

    def test_the_options_take_effect_on_reload(self):
        server = self.start_and_lose_the_folder()
        self.assert_problem(self.post("/files", self.LARGE, END, server=server), 500)
        server.config_path.write_text("[http]\nbody_buffer = 0\n")
        server.reload()
        self.assertEqual(len(self.post("/files", self.LARGE, END, server=server).json()), 1)
        self.assertEqual(len(self.post("/files", file("f", "x", "y"), END, server=server).json()), 1)


class Large(UploadCase):
    SIZE = 200_000_000

    def stream(self, server, request, pieces):
        before = server.resident()
        most = 0
        with server.client(patience=120) as client:
            client.send(request)
            for index, piece in enumerate(pieces):
                client.send(piece)
                if index % 50 == 0:
                    most = max(most, server.resident() - before)
            response = client.read_response()
        return response, most

    def test_200_megabytes_in_parts_take_next_to_no_memory(self):
        server = self.start(APP, settings={"limits.time": 100})
        block = b"x" * 500_000
        response, most = self.stream(server, request_bytes("PUT", "/count", [("Content-Length", str(self.SIZE))]),
                                     (block for _ in range(400)))
        self.assertEqual(response.text, str(self.SIZE))
        self.assertLess(most, 30_000_000)

    def test_200_megabytes_of_a_file_go_to_disk(self):
        server = self.start(APP, settings={"limits.time": 100})
        begin = field("f", "", '; filename="x"')[:-2]
        block = b"x" * 500_000
        length = len(begin) + self.SIZE + 2 + len(END)
        response, most = self.stream(server, request_bytes("POST", "/sum", [*TYPE, ("Content-Length", str(length))]) + begin,
                                     (*(block for _ in range(400)), b"\r\n" + END))
        self.assertEqual(response.json(), {"size": self.SIZE, "same": True})
        self.assertLess(most, 30_000_000)


if __name__ == "__main__":
    unittest.main()
