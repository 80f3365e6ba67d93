"""examples/upload does what its README says."""

import unittest

from harness import ROOT, ServerCase
from test_uploads import END, TYPE, field, file


class Example(ServerCase):
    def setUp(self):
        folder = ROOT / "examples/upload"
        files = {f"templates/{path.name}": path.read_text() for path in (folder / "templates").iterdir()}
        self.server = self.start((folder / "app.lua").read_text(), files=files, workers=2)

    def test_what_was_sent_is_kept_and_listed_on_every_worker(self):
        self.assertIn("Nothing yet", self.server.get("/").text)
        large = b"<svg>" + b"x" * 200_000
        response = self.server.fetch("POST", "/files", TYPE, field("title", "Sky & <sea>") +
                                     file("files", "../sky.svg", large, "image/svg+xml") +
                                     file("files", "note.txt", "hello", "text/plain") + END)
        self.assertEqual((response.status, response.header("location")), (303, "/"))
        listed = self.server.get("/files").json()
        self.assertEqual([(each["title"], each["name"], each["size"]) for each in listed],
                         [("Sky & <sea>", "sky.svg", len(large)), ("Sky & <sea>", "note.txt", 5)])
        self.assertEqual((self.server.directory / listed[0]["kept"]).read_bytes(), large)
        for _ in range(4):
            self.assertIn("Sky &amp; &lt;sea&gt; <b>sky.svg</b>, 200005 bytes", self.server.get("/").text)

    def test_a_form_without_a_file_is_400(self):
        self.assert_problem(self.server.fetch("POST", "/files", TYPE, field("title", "x") + file("files", "", "") + END), 400)

    def test_an_upload_without_a_form_is_counted(self):
        self.assertEqual(self.server.fetch("PUT", "/count", (), b"a\nb\n" * 100_000).json(),
                         {"size": 400_000, "lines": 200_000})


if __name__ == "__main__":
    unittest.main()
