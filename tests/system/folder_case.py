"""Tests of commands that are called in a folder, as `perigee test` is in a project's."""

import pathlib
import tempfile
import unittest

from harness import run_perigee


class FolderCase(unittest.TestCase):
    """Each test has a folder of its own, with the class's FILES in it."""

    FILES = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="perigee-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for path, text in self.FILES.items():
            self.write(path, text)

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def perigee(self, *arguments):
        return run_perigee(*arguments, cwd=self.folder)
