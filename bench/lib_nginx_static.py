"""nginx without Lua: "Hello, World!" is a file, and its descriptor is remembered."""

from lib_machine import BUILD, ROOT
from lib_nginx import PEERS, QUIET, UNPACKED, NginxLua
from lib_scenarios import HELLO
from lib_servers import free_port

FOLDER = BUILD / "static"
CONFIGURATION = """\
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid static.pid;
error_log stderr warn;
events {{
  worker_connections 20000;
}}
http {{
""" + QUIET + """\
  types {{ text/plain txt; }}
  charset utf-8;
  open_file_cache max=1000 inactive=60s;
  open_file_cache_valid 60s;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {root};
    location = / {{
      try_files /hello.txt =404;
    }}
  }}
}}
"""


class NginxStatic(NginxLua):
    """nginx, one process, with a file."""

    name = "nginx static"

    def takes(self, scenario):
        return scenario.plain and scenario.name != "typed"

    def prepare(self):
        super().prepare()
        (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
        (ROOT / FOLDER / "hello.txt").write_text(HELLO)

    def command(self, connections):
        self.port = free_port()
        (ROOT / PEERS / "static.conf").write_text(CONFIGURATION.format(port=self.port, root=ROOT / FOLDER))
        return [f"{UNPACKED}/usr/sbin/nginx", "-p", f"{PEERS}/", "-c", "static.conf", "-e", "stderr"]
