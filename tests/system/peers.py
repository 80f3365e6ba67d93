"""What a server under test connects to: TCP, UDP and TLS peers, a nameserver, certificates. All on loopback, port 0."""

import contextlib
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading

from harness import PATIENCE


class Peer:
    """A TCP or Unix server: calls `talk(connection, number)` for each connection, in a thread of its own."""

    def __init__(self, talk, family=socket.AF_INET, address=None, context=None, listening=True):
        self.talk, self.context = talk, context
        self.accepted = 0
        self.errors = []
        self._open = set()
        self._lock = threading.Condition()
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address or (("::1" if family == socket.AF_INET6 else "127.0.0.1"), 0))
        self.address = self.socket.getsockname()
        if listening:
            self.socket.listen(128)
            threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self):
        return self.address[1]

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                number = self.accepted
                self._open.add(connection)
                self._lock.notify_all()
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        connection.settimeout(PATIENCE)
        used = connection
        try:
            if self.context is not None:
                used = self.context.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._open.add(used)
            self.talk(used, number)
        except (OSError, ValueError) as error:  # the server under test is free to leave
            self.errors.append(error)
        finally:
            with contextlib.suppress(OSError):
                used.close()
            with self._lock:
                self._open.discard(connection)
                self._open.discard(used)
                self._lock.notify_all()

    def wait_open(self, count, patience=PATIENCE):
        """Waits until so many connections are open."""
        with self._lock:
            if not self._lock.wait_for(lambda: self.open == count, patience):
                raise AssertionError(f"{self.open} connections are open, not {count}")

    @property
    def open(self):
        return sum(1 for each in self._open if each.fileno() >= 0)

    def drop_all(self):
        """Ends every connection, as a server that is restarted does."""
        with self._lock:
            for connection in list(self._open):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.drop_all()


def read_head(connection, buffer=b""):
    """Reads up to and with an empty line: (head, what came behind it). Empty at the end of the connection."""
    while b"\r\n\r\n" not in buffer:
        data = connection.recv(65536)
        if not data:
            return b"", b""
        buffer += data
    head, _, rest = buffer.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def read_exactly(connection, size, buffer=b""):
    while len(buffer) < size:
        data = connection.recv(65536)
        if not data:
            raise ValueError("the peer left")
        buffer += data
    return buffer[:size], buffer[size:]


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def wait_for_end(connection):
    """Reads and drops until the other side ends."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


class Nameserver:
    """Answers DNS questions over UDP by a dictionary: {"name": {"A": [...], "AAAA": [...], "ttl": 60}}; names that are not
    in it do not exist, those with None get no answer at all."""

    def __init__(self, names):
        self.names = names
        self.asked = []  # (name, type) in order
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, client = self.socket.recvfrom(4096)
            except OSError:
                return
            answer = self._answer(question)
            if answer is not None:
                with contextlib.suppress(OSError):
                    self.socket.sendto(answer, client)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        kind = struct.unpack_from("!H", question, at + 1)[0]
        asked = question[12:at + 5]
        name = ".".join(labels).lower()
        kind_name = {1: "A", 28: "AAAA"}.get(kind, str(kind))
        self.asked.append((name, kind_name))
        if name in self.names and self.names[name] is None:
            return None
        entry = self.names.get(name)
        found = (entry or {}).get(kind_name, [])
        code = 3 if entry is None else 0
        head = question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        records = b""
        for address in found:
            data = socket.inet_pton(socket.AF_INET if kind_name == "A" else socket.AF_INET6, address)
            records += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, entry.get("ttl", 60), len(data)) + data
        return head + asked + records

    def close(self):
        self.socket.close()


def free_port(family=socket.AF_INET):
    """A port of this machine where nobody listens."""
    with socket.socket(family) as probe:
        probe.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        return probe.getsockname()[1]


def echo(connection, _):
    """What a Peer may say: all that it hears."""
    while True:
        data = connection.recv(65536)
        if not data:
            return
        connection.sendall(data)


class Certificates:
    """An authority of the test's own and what it signed, as files: `ca`, and by name (certificate and key in one)."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perigee-tls-"))
        self.ca = self._authority("ca")

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=self.folder, check=True, capture_output=True,
                       timeout=PATIENCE)

    def _authority(self, name):
        path = self.folder / f"{name}.pem"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                      f"{name}.key", "-out", path, "-days", "2", "-subj", f"/CN=test {name}")
        return path

    def signed(self, name, names="DNS:localhost,IP:127.0.0.1", days=2):
        """A certificate for `names`; `days` below 0: it has expired."""
        path = self.folder / f"{name}.pem"
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                      "-out", f"{name}.csr", "-subj", f"/CN=test {name}")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-out", path, "-days", days, "-extfile", f"{name}.ext")
        with path.open("a") as out:
            out.write((self.folder / f"{name}.key").read_text())
        return path

    def self_signed(self, name):
        path = self._authority(name)
        with path.open("a") as out:
            out.write((self.folder / f"{name}.key").read_text())
        return path

    @staticmethod
    def context(path, alpn=()):
        """A server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context
