"""Upstreams for perigee.http, and an app that asks them whatever a test says."""

from harness import ServerCase
from peers import Peer, read_exactly, read_head, wait_for_end

APP = """
local perigee = require "perigee"
local app = perigee.app()
-- Runs the body as Lua; answers what it returns as a list.
app:post("/run", { limits = { time = 60 } }, function(req)
  local fn = assert(loadstring("local perigee, port, query = ... local http = perigee.http " ..
    "local url = 'http://127.0.0.1:' .. tostring(port) " .. req.body, "=body"))
  local results, count = {}, 0
  local function keep(...)
    count = select("#", ...)
    for i = 1, count do
      local value = (select(i, ...))
      results[i] = value == nil and perigee.null or value
    end
  end
  keep(fn(perigee, tonumber(req.query.port), req.query))
  return perigee.array(results)
end)
return app
"""


def answer(status="200 OK", body=b"", headers=(), length=True):
    lines = [f"HTTP/1.1 {status}", *headers] + ([f"Content-Length: {len(body)}"] if length else [])
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Upstream(Peer):
    """Answers each request by `reply(method, target, headers, body, connection)`: bytes, or None where it has been dealt
    with; keeps connections open, and what came in `requests`."""

    def __init__(self, reply, **options):
        self.reply = reply
        self.requests = []
        super().__init__(self._talk, **options)

    def _talk(self, connection, number):
        buffer = b""
        while True:
            head, buffer = read_head(connection, buffer)
            if not head:
                return
            lines = head.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers = {}
            for line in lines[1:-2]:
                name, _, value = line.partition(": ")
                headers[name.lower()] = value
            body = b""
            if "chunked" in headers.get("transfer-encoding", ""):
                body, buffer = self._read_chunks(connection, buffer)
            elif "content-length" in headers:
                body, buffer = read_exactly(connection, int(headers["content-length"]), buffer)
            self.requests.append((method, target, headers, body, number))
            reply = self.reply(method, target, headers, body, connection)
            if reply is None:
                return
            connection.sendall(reply)

    @staticmethod
    def _read_chunks(connection, buffer):
        body = b""
        while True:
            while b"\r\n" not in buffer:
                buffer += connection.recv(65536)
            line, _, buffer = buffer.partition(b"\r\n")
            data, buffer = read_exactly(connection, int(line, 16) + 2, buffer)
            if line == b"0":
                return body, buffer
            body += data[:-2]


class HttpCase(ServerCase):
    def upstream(self, reply, **options):
        upstream = Upstream(reply, **options)
        self.addCleanup(upstream.close)
        return upstream

    def peer(self, talk, **options):
        peer = Peer(talk, **options)
        self.addCleanup(peer.close)
        return peer

    def raw(self, data, close=True):
        """A server that answers every connection's first head by these bytes."""
        def talk(connection, _):
            read_head(connection)
            connection.sendall(data)
            if not close:
                wait_for_end(connection)
        return self.peer(talk)

    def run_lua(self, code, port=0, server=None, query=""):
        response = (server or self.server).fetch("POST", f"/run?port={port}{query}", (), code)
        self.assertEqual(response.status, 200, response)
        return response.json()
