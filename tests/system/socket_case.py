"""An app that runs what a test says with a socket of perigee.socket, for the tests of those."""

from harness import ServerCase
from peers import Peer

APP = """
local perigee = require "perigee"
local app = perigee.app()

-- Runs the body as Lua, with a socket that is connected to the port in the query; answers what it returns as a list.
app:post("/run", function(req)
  local fn = assert(loadstring("local perigee, port, req, sock = ... " .. req.body, "=body"))
  local sock = perigee.socket.tcp()
  sock:settimeout(5)
  local results = { n = 0 }
  local function keep(...)
    for i = 1, select("#", ...) do
      local value = (select(i, ...))
      results[i] = value == nil and perigee.null or value
    end
  end
  keep(fn(perigee, tonumber(req.query.port), req, sock))
  results.n = nil
  return perigee.array(results)
end)

app:get("/ping", function() return "pong" end)

local kept
app:post("/keep", function(req)
  kept = perigee.socket.tcp()
  assert(kept:connect("127.0.0.1", tonumber(req.query.port)))
  return "kept"
end)
app:post("/drop", function()
  kept = nil
  collectgarbage()
  collectgarbage()
  return "dropped"
end)

return app
"""


class SocketCase(ServerCase):
    def peer(self, talk, **options):
        peer = Peer(talk, **options)
        self.addCleanup(peer.close)
        return peer

    def run_lua(self, code, port=0, server=None):
        response = (server or self.server).fetch("POST", f"/run?port={port}", (), code)
        self.assertEqual(response.status, 200, response)
        return response.json()
