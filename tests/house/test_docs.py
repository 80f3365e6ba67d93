"""Every block of code in the README and docs runs. How a block is run, its first line says; see CONTRIBUTING.md."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from source import ROOT, files, name

sys.path.insert(0, str(ROOT / "tests/system"))

from harness import BINARY, PATIENCE, Server, run_perigee  # noqa: E402

FENCE = re.compile(r"^( *)(`{3,})([^\n`]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
KINDS = {"lua", "lua app", "lua file", "html", "html file", "sh", "sh run", "toml", "json", "text", "console", "c", "cpp", ""}

# A fragment of Lua compiles as a chunk, as the body of a function or as an expression.
COMPILE = r"""
local text = io.read("*a")
local tries = { text, "return " .. text, "local req, app, perigee, t = ...; " .. text, "return {" .. text .. "}" }
local first
for _, try in ipairs(tries) do
  local ok, err = loadstring(try, "=block")
  if ok then os.exit(0) end
  first = first or err
end
io.stderr:write(first, "\n")
os.exit(1)
"""


class Block:
    """One fenced block: where it stands, its kind, what its info string says besides, and its text."""

    def __init__(self, path, line, info, text):
        self.path, self.line, self.text = path, line, text
        words = info.split()
        self.kind = " ".join(words[:2]) if " ".join(words[:2]) in KINDS else (words[0] if words else "")
        self.words = words[len(self.kind.split()):]

    def __str__(self):
        return f"{name(self.path)}:{self.line}"


def blocks(path):
    text = path.read_text()
    found = []
    for match in FENCE.finditer(text):
        indent = len(match.group(1))
        body = "".join(line[indent:] if not line[:indent].strip() else line for line in match.group(4).splitlines(True))
        found.append(Block(path, text.count("\n", 0, match.start()) + 1, match.group(3).strip(), body))
    return found


def pages():
    return [page for page in [ROOT / "README.md", *files("docs", suffixes={".md"})] if page.exists()]


def commands(text):
    """(command, lines its output must hold) of an `sh run` block. A backslash at its end joins a line to the next."""
    found = []
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        expected = re.match(r"\s*# => ?(.*)", line)
        if expected and found:
            found[-1][1].append(expected.group(1).strip())
        elif line.strip() and not line.lstrip().startswith("#"):
            command, _, beside = line.partition(" # => ")
            found.append((command.strip().removeprefix("$ "), [beside.strip()] if beside else []))
    return found


class Page:
    """A page while it runs: the folder it works in and the server of its last app."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perigee-docs-"))
        self.app = None
        self.arguments = []
        self.server = None

    def add_file(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def serve(self):
        if self.server is None:
            beside = {str(path.relative_to(self.folder)): path.read_text()
                      for ending in ("*.lua", "*.html") for path in self.folder.rglob(ending)}
            self.server = Server(self.app, files={key: text for key, text in beside.items() if key != "app.lua"},
                                 settings={"log.access": "stdout"}, workers=2, arguments=self.arguments)
        return self.server

    def stop(self):
        if self.server is not None:
            server, self.server = self.server, None
            server.stop()

    def change_app(self, text, arguments):
        self.stop()
        self.app, self.arguments = text, arguments

    def end(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, command):
        """Runs a command as a reader would, against the server of this page."""
        server = self.serve()
        host, port = server.address
        admin = "{}:{}".format(*server.admin_address)
        for place in ("localhost:8080", "127.0.0.1:8080"):
            command = command.replace(place, f"{host}:{port}")
        for place in ("localhost:9145", "127.0.0.1:9145"):
            command = command.replace(place, admin)
        program = self.folder / "bin/perigee"  # under its own name, whatever this build's is
        if not program.exists():
            program.parent.mkdir(exist_ok=True)
            program.symlink_to(pathlib.Path(BINARY).resolve())
        command = command.replace("build/release/perigee", "perigee").replace("$(pidof perigee)", str(server.pid))
        command = re.sub(r"\bpkill -HUP( -x)? perigee\b", f"kill -HUP {server.pid}", command)
        command = re.sub(r"\bperigee (reload|profile|health)\b", rf"perigee \1 --admin {admin}", command)
        environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PERIGEE_PID": str(server.pid)}
        return subprocess.run(["bash", "-c", command], cwd=server.directory, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE)


class Docs(unittest.TestCase):
    maxDiff = None

    def check_app(self, page, block):
        path = page.add_file("app.lua", block.text)
        result = run_perigee("check", "-c", page.add_file("empty.toml", ""), "--app", path, cwd=page.folder)
        self.assertEqual(result.returncode, 0, f"{block}\n{result.stdout}{result.stderr}")
        page.change_app(block.text, ["--dev"] if "dev" in block.words else [])

    def check_file(self, page, block):
        """A module of the page's app: ```lua file routes/users.lua"""
        self.assertEqual(len(block.words), 1, f"{block}: one path")
        page.add_file(block.words[0], block.text)
        self.check_fragment(page, block)

    def write_file(self, page, block):
        page.stop()
        page.add_file(block.words[0], block.text)

    def check_fragment(self, _, block):
        result = subprocess.run(["luajit", "-e", COMPILE], input=block.text, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, f"{block}: {result.stderr}")

    def check_shell(self, _, block):
        result = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, f"{block}: {result.stderr}")

    def check_run(self, page, block):
        self.check_shell(page, block)
        self.assertIsNotNone(page.app, f"{block}: no `lua app` block before it")
        for command, expected in commands(block.text):
            result = page.run(command)
            output = result.stdout + result.stderr
            self.assertEqual(result.returncode, 0, f"{block}: {command}\n{output}")
            for text in expected:
                self.assertIn(text, output, f"{block}: {command}\n{output}")

    def check_toml(self, page, block):
        # Folders that a machine would have: `check` looks whether they are there.
        path = page.add_file("block.toml", re.sub(r'"/var/(log|lib)/perigee/', f'"{page.folder}/', block.text))
        app = page.add_file("any.lua", 'return require("perigee").app()\n')
        environment = {**os.environ, **{key: "value" for key in re.findall(r"\$\{(\w+)\}", block.text)}}
        result = run_perigee("check", "-c", path, "--app", app, cwd=page.folder, env=environment)
        self.assertEqual(result.returncode, 0, f"{block}\n{result.stdout}{result.stderr}")

    def check_json(self, _, block):
        json.loads(block.text)

    def check_kind(self, _, block):
        self.assertIn(block.kind, KINDS, f"{block}: nobody knows how to run `{block.kind}`")

    def run_page(self, path):
        page = Page()
        self.addCleanup(page.end)
        checks = {"lua app": self.check_app, "lua file": self.check_file, "html file": self.write_file,
                  "lua": self.check_fragment, "sh": self.check_shell,
                  "sh run": self.check_run, "toml": self.check_toml, "json": self.check_json}
        for block in blocks(path):
            with self.subTest(block=str(block)):
                checks.get(block.kind, self.check_kind)(page, block)

    def test_every_block_of_the_readme_and_docs_runs(self):
        self.assertTrue(pages(), "there is neither README.md nor docs/")
        for path in pages():
            with self.subTest(page=name(path)):
                self.run_page(path)

    def test_links_between_our_pages_lead_somewhere(self):
        for path in [*pages(), *[page for page in (ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md") if page.exists()]]:
            prose = FENCE.sub("", path.read_text())
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose):
                if "://" not in target and not target.startswith("mailto:"):
                    self.assertTrue((path.parent / target).exists(), f"{name(path)}: {target}")


class Runner(unittest.TestCase):
    """The runner of blocks itself, on small pages."""

    def page(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".md", dir=ROOT / "tests", delete=False) as file:
            file.write(text)
        self.addCleanup(os.unlink, file.name)
        return blocks(pathlib.Path(file.name))

    def test_blocks_are_found_with_their_kinds_and_lines(self):
        found = self.page("# T\n\n```lua app\nreturn 1\n```\n\n- item\n  ```sh run\n  echo hi\n  # => hi\n  ```\n```\nfree\n```\n")
        self.assertEqual([(block.kind, block.line) for block in found], [("lua app", 3), ("sh run", 8), ("", 12)])
        self.assertEqual(found[1].text, "echo hi\n# => hi\n")

    def test_commands_are_paired_with_what_they_print(self):
        self.assertEqual(commands("a b\n# => one\n# => two\n# a remark\n\n$ c \\\n  d\ne # => three\n"),
                         [("a b", ["one", "two"]), ("c d", []), ("e", ["three"])])


if __name__ == "__main__":
    unittest.main()
