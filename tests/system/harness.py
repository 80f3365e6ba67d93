"""Starts the real server on a free port and speaks raw HTTP/1 to it.

A test module has one or more ServerCase classes. Nothing here sleeps to get lucky: every wait is for an event and is
bounded by PATIENCE, which only a failing test ever uses up.
"""

import atexit
import collections
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from signal import SIGTERM

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PERIGEE_BINARY") or str(ROOT / "build/release/perigee")
SLOW = float(os.environ.get("PERIGEE_SLOW", "1"))  # how much slower than a release build the binary may be
PATIENCE = 15.0 * max(1.0, SLOW / 2)
SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|SUMMARY: \w+Sanitizer")

# Many tests hold a thousand sockets and more.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))


def wait_until(condition, what, patience=PATIENCE):
    """Asks `condition` until it is true and returns its value; for states that only polling can see."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.01)


def run_perigee(*arguments, cwd=None, env=None, patience=PATIENCE):
    """Runs a command to its end: an object with returncode, stdout and stderr as text."""
    return subprocess.run([BINARY, *map(str, arguments)], cwd=cwd, env=env, capture_output=True, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, timeout=patience)


class Output:
    """Collects what a process writes to one pipe, and lets tests wait for a line of it."""

    def __init__(self, pipe):
        self._pipe = pipe
        self._text = ""
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while True:
            data = os.read(self._pipe.fileno(), 65536)
            with self._changed:
                self._text += data.decode("utf-8", "replace")
                self._ended = not data
                self._changed.notify_all()
            if not data:
                self._pipe.close()
                return

    @property
    def text(self):
        with self._changed:
            return self._text

    def lines(self, pattern=""):
        return [line for line in self.text.splitlines() if re.search(pattern, line)]

    def wait(self, pattern, count=1, since=0, patience=PATIENCE):
        """Waits for the count-th match of `pattern` behind position `since`; returns it."""
        compiled = re.compile(pattern, re.MULTILINE)
        end = time.monotonic() + patience
        with self._changed:
            while True:
                found = list(compiled.finditer(self._text, since))
                if len(found) >= count:
                    return found[count - 1]
                left = end - time.monotonic()
                if self._ended or left <= 0:
                    why = "the output ended" if self._ended else f"{patience:.0f} s passed"
                    raise AssertionError(f"no {pattern!r} before {why} in:\n{self._text[-4000:]}")
                self._changed.wait(left)

    def join(self):
        self._thread.join(PATIENCE)


class Closed(Exception):
    """The server closed the connection; what had come is in `args[0]`."""


class Response:
    """One answer as it came over the wire."""

    def __init__(self, version, status, reason, fields):
        self.version = version
        self.status = status
        self.reason = reason
        self.fields = fields  # (name in lower case, value) in order
        self.body = b""
        self.chunks = None    # sizes, when it was chunked

    def all(self, name):
        return [value for field, value in self.fields if field == name.lower()]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    @property
    def closes(self):
        return "close" in (self.header("connection") or "").lower()

    def __repr__(self):
        return f"<{self.status} {dict(self.fields)} {self.body[:300]!r}>"


class Client:
    """One connection: whole requests, or bytes as a test likes them."""

    def __init__(self, address, source=None, receive_buffer=None, patience=PATIENCE):
        self.patience = patience
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(patience)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def abort(self):
        """Leaves with a reset, which no server can take for a half-close."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def send_split(self, data):
        """Sends a byte at a time."""
        data = data.encode("latin-1") if isinstance(data, str) else data
        with contextlib.suppress(OSError):  # the server may refuse and close half way
            for index in range(len(data)):
                self.socket.sendall(data[index:index + 1])
        return self

    def send_request(self, method, target, headers=(), body=None, version="HTTP/1.1", host="localhost"):
        return self.send(request_bytes(method, target, headers, body, version, host))

    def request(self, method, target, headers=(), body=None, **options):
        return self.send_request(method, target, headers, body, **options).read_response(head=method == "HEAD")

    def get(self, target, **headers):
        return self.request("GET", target, [(name.replace("_", "-"), value) for name, value in headers.items()])

    def _more(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        if not data:
            self.ended = True
            raise Closed(self.buffer)
        self.buffer += data

    def read_until(self, mark):
        while mark not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(mark)
        return head

    def read_exactly(self, size):
        if size > len(self.buffer) + 262144:
            return self._read_large(size)
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _read_large(self, size):
        parts, left = [self.buffer], size - len(self.buffer)
        self.buffer = b""
        while left > 0:
            self._more()
            parts.append(self.buffer[:left])
            left, self.buffer = left - len(self.buffer), self.buffer[left:]
        return b"".join(parts)

    def read_to_end(self):
        with contextlib.suppress(Closed):
            while True:
                self._more()
        data, self.buffer = self.buffer, b""
        return data

    def read_head(self):
        lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/(1\.[01]) (\d{3}) (.*)", lines[0])
        if not match:
            raise AssertionError(f"not a status line: {lines[0]!r}")
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or "\n" in line or "\r" in line:
                raise AssertionError(f"not a field line: {line!r}")
            fields.append((name.lower(), value.strip(" \t")))
        return Response(match.group(1), int(match.group(2)), match.group(3), fields)

    def read_response(self, head=False, interim=False):
        """Reads one answer; 1xx answers are passed over unless `interim`. `head`: it answers a HEAD."""
        response = self.read_head()
        while response.status < 200 and not interim:
            response = self.read_head()
        if head or response.status < 200 or response.status in (204, 304):
            return response
        coding, lengths = response.header("transfer-encoding"), response.all("content-length")
        if coding is not None and lengths or len(lengths) > 1:
            raise AssertionError(f"framed twice: {response}")
        if coding == "chunked":
            self.read_chunks(response)
        elif lengths:
            response.body = self.read_exactly(int(lengths[0]))
        else:
            response.body = self.read_to_end()
        return response

    def read_chunks(self, response):
        response.chunks, body = [], []
        while not response.chunks or response.chunks[-1]:
            response.chunks.append(int(self.read_until(b"\r\n"), 16))
            body.append(self.read_exactly(response.chunks[-1]))
            if self.read_exactly(2) != b"\r\n":
                raise AssertionError("a chunk is longer than it says")
        response.body = b"".join(body)

    def closed(self):
        """Waits for the server to close; False when it sent something instead."""
        if self.buffer:
            return False
        with contextlib.suppress(Closed):
            if not self.ended:
                self._more()
                return False
        return True


def request_bytes(method, target, headers=(), body=None, version="HTTP/1.1", host="localhost"):
    """The bytes of a request; a body gets its Content-Length unless a header frames it."""
    headers = list(headers.items()) if isinstance(headers, dict) else list(headers)
    body = body.encode() if isinstance(body, str) else body
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    framed = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers)
    if body is not None and not framed:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


Address = collections.namedtuple("Address", "url address")


def parse_address(url):
    """What connect() takes, from what the server printed: http://HOST:PORT or unix:PATH."""
    plain = re.sub(r"^https?://", "", url)
    if plain.startswith("unix:"):
        return plain[len("unix:"):]
    host, _, port = plain.rpartition(":")
    return host.strip("[]"), int(port)


class Server:
    """One running `perigee serve` in a folder of its own."""

    def __init__(self, app, config="", files=None, settings=None, workers=1, listen=("127.0.0.1:0",),
                 arguments=(), env=None, descriptors=None, expect_start=True):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="perigee-test-"))
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)  # those that were killed go too
        self.app_path = self.write("app.lua", app)
        self.config_path = self.write("server.toml", config)
        for name, text in (files or {}).items():
            self.write(name, text)
        settings = {"log.access": "off", **(settings or {})}
        command = [BINARY, "serve", "-c", str(self.config_path), "--app", str(self.app_path)]
        for place in listen:
            command += ["--listen", place.replace("{dir}", str(self.directory))]
        if workers is not None:
            command += ["--workers", str(workers)]
        command += ["--admin", "127.0.0.1:0"] if "--admin" not in arguments and "admin.listen" not in settings else []
        for name, value in settings.items():
            if value is not None:
                command += ["--set", f"{name}={str(value).replace('{dir}', str(self.directory))}"]
        command += [str(argument) for argument in arguments]

        def limit_descriptors():
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen(command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={**os.environ, **(env or {})},
                                        preexec_fn=limit_descriptors if descriptors else None)
        self.pid = self.process.pid
        self.stdout = Output(self.process.stdout)
        self.stderr = Output(self.process.stderr)
        self.listen_count = max(1, len(listen))
        self.stopped = False
        self.addresses, self.admin_address = [], None
        if expect_start:
            try:
                self._read_addresses("admin.listen" not in settings and "off" not in command)
            except BaseException:
                self.kill()
                raise

    def write(self, name, text):
        """Writes a file of the app at once, as editors do."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(text)
        os.replace(fresh, path)
        return path

    def _read_addresses(self, admin):
        place = r"(https?://[^\s\"\\]+|unix:[^\s\"\\]+)"
        self.stderr.wait(r"listening on " + place, count=self.listen_count)
        self.addresses = [parse_address(url) for url in re.findall(r"listening on " + place, self.stderr.text)]
        if admin:
            self.admin_address = parse_address(self.stderr.wait(r"admin on " + place).group(1))

    @property
    def address(self):
        return self.addresses[0]

    def client(self, index=0, **options):
        return Client(self.addresses[index], **options)

    def admin(self, **options):
        return Client(self.admin_address, **options)

    def fetch(self, method, target, headers=(), body=None, **options):
        with self.client() as client:
            return client.request(method, target, headers, body, **options)

    def get(self, target, headers=()):
        return self.fetch("GET", target, headers)

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, ok=True):
        """Asks for a reload on the admin port and says whether it was taken."""
        with self.admin() as client:
            status = client.request("POST", "/reload", host="127.0.0.1").status
        if ok is not None and (200 <= status < 300) != ok:
            raise AssertionError(f"POST /reload answered {status}:\n{self.stderr.text[-3000:]}")
        return status

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident(self):
        """Resident memory in bytes."""
        return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{self.pid}/status").read_text()).group(1)) * 1024

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_exit(self, patience=PATIENCE):
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end within {patience:.0f} s:\n{self.stderr.text[-3000:]}") from None
        self.stderr.join()
        self.stdout.join()
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self, number=SIGTERM):
        """Stops it as an operator does. It must end with 0 and no sanitizer may have spoken."""
        if self.stopped:
            return
        self.stopped = True
        try:
            if self.process.poll() is None:
                self.signal(number)
            code = self.wait_exit()
            report = SANITIZER_REPORT.search(self.stderr.text)
            if report:
                raise AssertionError("sanitizer report:\n" + self.stderr.text[max(0, report.start() - 200):][:6000])
            if code != 0:
                raise AssertionError(f"the server ended with {code}:\n{self.stderr.text[-4000:]}")
        finally:
            self.kill()
            shutil.rmtree(self.directory, ignore_errors=True)


class ServerCase(unittest.TestCase):
    """Tests that share one server, described by the class's own fields."""

    APP = None
    CONFIG = ""
    FILES = {}
    SETTINGS = {}
    WORKERS = 1
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if cls.APP is not None:
            cls.server = Server(cls.APP, cls.CONFIG, cls.FILES, cls.SETTINGS, cls.WORKERS)
            cls.addClassCleanup(cls.server.stop)

    def start(self, app, **options):
        """A server for this test alone."""
        server = Server(app, **options)
        self.addCleanup(server.stop)
        return server

    def connect(self, server=None, **options):
        client = (server or self.server).client(**options)
        self.addCleanup(client.close)
        return client

    def get(self, target, headers=()):
        return self.server.get(target, headers)

    def assert_problem(self, response, status):
        self.assertEqual(response.status, status, response)
        self.assertEqual(response.header("content-type").split(";")[0], "application/problem+json", response)
        problem = response.json()
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["title"])
        return problem

    def assert_refused(self, client, status=None):
        """The connection gets an error answer (of `status`, when given) or none, and is closed."""
        try:
            response = client.read_response()
        except Closed:
            self.assertIsNone(status, "closed without an answer")
            return None
        if status is None:
            self.assertGreaterEqual(response.status, 400, response)
        else:
            self.assertEqual(response.status, status, response)
        self.assertTrue(client.closed(), "refused, but still open")
        return response


def main():
    unittest.main()
