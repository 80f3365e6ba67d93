"""Runs the image that docker/Dockerfile built, as an engine would: its user, its command, a read-only root without
capabilities, its app and configuration mounted, and a network of its own. `./dev docker-test` builds it and starts this
as root.
"""

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

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from harness import PATIENCE, Output, wait_until  # noqa: E402

TREE = pathlib.Path(os.environ["PERIGEE_IMAGE_ROOT"])
IMAGE = json.loads(pathlib.Path(os.environ["PERIGEE_IMAGE_CONFIG"]).read_text())["Docker"]["config"]

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

APP = """
local perigee = require "perigee"
local app = perigee.app()
app:get("/", function() return "VERSION\\n" end)
app:get("/slow", function() perigee.log.info("slow begins") perigee.sleep(1) return "slow VERSION\\n" end)
app:get("/write", function()
  local file, why = io.open(perigee.config.folder .. "/x", "w")
  if file then file:close() end
  return file and "written\\n" or why .. "\\n"
end)
return app
"""
CONFIG = """
[server]
listen = ["0.0.0.0:8080"]
app = "/srv/app/app.lua"
[app]
folder = "%s"
"""

# What an engine does before it starts the command: `sh -c RUN sh TREE APP CONF COMMAND...` in namespaces of its own.
RUN = """
set -e
tree=$1 app=$2 conf=$3
shift 3
mount --make-rprivate /
mount --bind "$tree" "$tree"
mount --bind "$app" "$tree/srv/app"
mount -o remount,bind,ro "$tree/srv/app"
mount --bind "$conf" "$tree/etc/perigee"
mount -o remount,bind,ro "$tree/etc/perigee"
mount -t proc proc "$tree/proc"
mount -t tmpfs tmpfs "$tree/tmp"
mount -t tmpfs tmpfs "$tree/dev"
for device in null zero random urandom; do
  touch "$tree/dev/$device"
  mount --bind "/dev/$device" "$tree/dev/$device"
done
mount -o remount,bind,ro "$tree"
ip link set lo up
exec chroot "$tree" "$@"
"""


def confined():
    """What the command is run by: the image's user, no capability, none to be gained."""
    user, _, group = IMAGE["User"].partition(":")
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all",
            "--no-new-privs", "--"]


class Container:
    """The image's own command, in namespaces of its own."""

    def __init__(self, app, folder="/tmp"):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="perigee-image-"))
        self.write("app/app.lua", app)
        self.write("conf/server.toml", CONFIG % folder)
        for path in (self.directory, self.directory / "app", self.directory / "conf"):
            path.chmod(0o755)
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-c", RUN, "sh", str(TREE),
             str(self.directory / "app"), str(self.directory / "conf"), *confined(), *IMAGE["Entrypoint"], *IMAGE["Cmd"]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        self.stdout, self.stderr = Output(self.process.stdout), Output(self.process.stderr)
        try:
            self.stderr.wait(r"listening on http://0\.0\.0\.0:8080")
        except BaseException:
            self.end()
            raise
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.pid = int(children[0])

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def inside(self, *command):
        """Runs a command of the image in the container, as `docker exec` does."""
        return subprocess.run(["nsenter", "-t", str(self.pid), "--mount", "--net", "--pid", "--root", "--wd=/", *confined(),
                               *command], capture_output=True, text=True, timeout=PATIENCE, env=ENVIRONMENT)

    def curl(self, path):
        """The command that asks the server, by the container's network and this machine's curl."""
        return ["nsenter", "-t", str(self.pid), "--net", "curl", "-sS", "--max-time", str(PATIENCE),
                f"http://127.0.0.1:8080{path}"]

    def get(self, path):
        return subprocess.run(self.curl(path), capture_output=True, text=True, timeout=PATIENCE).stdout

    def status(self, name):
        return re.search(rf"^{name}:\s+(.*)$", pathlib.Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE).group(1)

    def wait_exit(self):
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.end()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()  # and with it all that runs inside
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Image(unittest.TestCase):
    def start(self, version="one", **options):
        container = Container(APP.replace("VERSION", version), **options)
        self.addCleanup(container.end)
        return container

    def test_it_says_how_to_be_run(self):
        self.assertRegex(IMAGE["User"], r"^[1-9]\d*:[1-9]\d*$")
        self.assertEqual(IMAGE["StopSignal"], "SIGTERM")
        self.assertEqual(list(IMAGE["ExposedPorts"]), ["8080/tcp"])
        self.assertEqual(IMAGE["Healthcheck"]["Test"][0], "CMD")

    def test_it_holds_no_compiler_no_source_and_no_list_of_packages(self):
        for path in ("usr/bin/g++", "usr/bin/cmake", "src", "usr/include/luajit-2.1", "tmp/libraries"):
            self.assertFalse((TREE / path).exists(), path)
        self.assertEqual(list((TREE / "var/lib/apt/lists").iterdir()), [])

    def test_what_it_comes_with_serves(self):
        result = subprocess.run(["chroot", str(TREE), *confined(), *IMAGE["Entrypoint"], "check", *IMAGE["Cmd"][1:]],
                                capture_output=True, text=True, timeout=PATIENCE, env=ENVIRONMENT)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_it_serves_as_nobody_in_particular_on_a_read_only_root(self):
        container = self.start(folder="/srv")
        self.assertEqual(container.get("/"), "one\n")
        self.assertEqual(set(container.status("Uid").split()), {IMAGE["User"].partition(":")[0]})
        self.assertEqual({container.status(name) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")}, {"0" * 16})
        self.assertEqual((container.status("NoNewPrivs"), container.status("NSpid").split()[-1]), ("1", "1"))
        self.assertIn("/srv/x: ", container.get("/write"))
        self.assertIn("Read-only file system", container.inside("touch", "/srv/app/x").stderr)
        self.assertIn("Read-only file system", container.inside("touch", "/x").stderr)

    def test_its_logs_go_to_the_streams_of_the_container(self):
        container = self.start()
        self.assertEqual(container.get("/?seen"), "one\n")
        container.stdout.wait(r'"GET /\?seen HTTP/1\.1" 200')
        self.assertEqual(container.get("/slow"), "slow one\n")
        container.stderr.wait("slow begins")
        self.assertEqual(container.get("/write"), "written\n")

    def test_its_health_check_tells_well_from_ill(self):
        container = self.start()
        check = IMAGE["Healthcheck"]["Test"][1:]
        self.assertEqual(container.inside(*check).returncode, 0)
        os.kill(container.pid, signal.SIGSTOP)
        ill = container.inside(*check)
        os.kill(container.pid, signal.SIGCONT)
        self.assertEqual(ill.returncode, 1, ill.stderr)
        self.assertIn("did not answer", ill.stderr)

    def test_a_hup_brings_the_changed_app(self):
        container = self.start()
        container.write("app/app.lua", APP.replace("VERSION", "two"))
        os.kill(container.pid, signal.SIGHUP)
        wait_until(lambda: container.get("/") == "two\n", "the second version")
        container.write("app/app.lua", "nonsense")
        refused = container.inside("perigee", "reload", "-c", "/etc/perigee/server.toml")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("/srv/app/app.lua:1", refused.stderr)
        self.assertEqual(container.get("/"), "two\n")

    def test_the_stop_signal_lets_what_is_under_way_end(self):
        container = self.start()
        request = subprocess.Popen(container.curl("/slow"), stdout=subprocess.PIPE, text=True)
        container.stderr.wait("slow begins")
        os.kill(container.pid, getattr(signal, IMAGE["StopSignal"]))
        self.assertEqual(request.communicate(timeout=PATIENCE)[0], "slow one\n")
        self.assertEqual(container.wait_exit(), 0)


class Compose(unittest.TestCase):
    """docker/compose.yml says what is tried here."""

    def setUp(self):
        self.text = (ROOT / "docker/compose.yml").read_text()

    def test_it_confines_as_these_tests_do(self):
        for line in ("read_only: true", "cap_drop:", "- ALL", "- no-new-privileges:true", "- /tmp"):
            self.assertIn(line, self.text)
        self.assertIn(json.dumps(IMAGE["Healthcheck"]["Test"]), self.text)

    def test_its_folders_and_files_are_there(self):
        for name in re.findall(r":-(\.[^}]*)\}:[\w/]+:ro", self.text):
            self.assertTrue((ROOT / "docker" / name).is_dir(), name)
        self.assertTrue((ROOT / "docker/conf/server.toml").is_file())
        self.assertIn("dockerfile: docker/Dockerfile", self.text)


if __name__ == "__main__":
    unittest.main()
