"""The peer: Debian's nginx with its Lua module, unpacked privately.

libnginx-mod-http-lua cannot be installed beside libluajit-5.1-dev, so nothing is installed: the packages are downloaded
and unpacked under build/bench/peers and nginx runs from there.
"""

import pathlib
import subprocess

from lib_machine import BUILD, ROOT
from lib_servers import ServerError, free_port

PEERS = BUILD / "peers"
UNPACKED = PEERS / "unpacked"
PACKAGES = ["nginx", "libnginx-mod-http-ndk", "libnginx-mod-http-lua", "libluajit2-5.1-2", "lua-resty-core",
            "lua-resty-lrucache", "lua-cjson", "libpcre3"]
LIBRARIES = UNPACKED / "usr/lib/x86_64-linux-gnu"

# What every http block of ours begins with: no log, connections that stay, and no folder outside its own.
QUIET = """\
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 60s;
  client_body_temp_path temp;
  proxy_temp_path temp;
  fastcgi_temp_path temp;
  uwsgi_temp_path temp;
  scgi_temp_path temp;
"""

# bench/app.lua for nginx: the same bodies, types and headers. A Content-Length saves nginx the chunks.
CONFIGURATION = """\
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 65536;
pcre_jit on;
pid nginx.pid;
error_log stderr warn;
load_module unpacked/usr/lib/nginx/modules/ndk_http_module.so;
load_module unpacked/usr/lib/nginx/modules/ngx_http_lua_module.so;
events {{
  worker_connections 20000;
}}
http {{
""" + QUIET + """\
  default_type "text/plain; charset=utf-8";
  lua_package_path "$prefix/unpacked/usr/share/lua/5.1/?.lua;;";
  lua_package_cpath "$prefix/unpacked/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;;";
  lua_shared_dict bench 10m;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = / {{
      content_by_lua_block {{
        local body = "Hello, World!"
        ngx.header["Content-Length"] = #body
        ngx.print(body)
      }}
    }}
    location = /message {{
      content_by_lua_block {{
        local body = require("cjson").encode({{ message = "Hello, World!" }})
        ngx.header["Content-Type"] = "application/json"
        ngx.header["Content-Length"] = #body
        ngx.print(body)
      }}
    }}
    location = /count {{
      content_by_lua_block {{
        ngx.shared.bench:incr("visits", 1, 0)
        local body = "Hello, World!"
        ngx.header["Content-Length"] = #body
        ngx.print(body)
      }}
    }}
    location ~ "^/users/([0-9]+)$" {{
      content_by_lua_block {{
        local id = tonumber(ngx.var[1])
        if id < 1 then
          return ngx.exit(404)
        end
        local color, uid = ngx.req.get_uri_args().color, ngx.var.cookie_uid
        local header = ngx.header
        header["X-User"] = uid
        header["X-Color"] = color
        local body = "Hello, World!"
        header["Content-Length"] = #body
        ngx.print(body)
      }}
    }}
  }}
}}
"""


def run(command, folder):
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ServerError(f"{command[0]}: {error.strerror}") from error


def download(packages):
    """Fetches the packages that are not there yet and unpacks them."""
    cache = ROOT / PEERS / "debs"
    cache.mkdir(parents=True, exist_ok=True)
    missing = [package for package in packages if not any(cache.glob(f"{package}_*.deb"))]
    if not missing and (ROOT / UNPACKED / "usr/sbin/nginx").exists():
        return
    if missing:
        result = run(["apt-get", "-o", "APT::Sandbox::User=root", "download", *missing], cache)
        if result.returncode != 0:
            reason = (result.stderr.strip().splitlines() or ["no reason given"])[0]
            raise ServerError(f"cannot be downloaded ({reason}); `apt-get update` may help")
    for package in cache.glob("*.deb"):
        if run(["dpkg", "-x", str(package), str(ROOT / UNPACKED)], cache).returncode != 0:
            raise ServerError(f"{package.name} cannot be unpacked")


class NginxLua:
    """nginx and its Lua module, one process."""

    name = "nginx+lua"
    compared = True
    version = ""
    packages = PACKAGES
    file = "nginx.conf"

    def takes(self, scenario):
        return not scenario.ours

    def prepare(self):
        download(self.packages)
        (ROOT / PEERS / "temp").mkdir(exist_ok=True)
        packages = sorted(pathlib.Path(ROOT / PEERS / "debs").glob("*nginx*.deb"))
        self.version = ", ".join(package.name.rsplit("_", 1)[0].replace("%3a", ":") for package in packages)

    def body(self, scenario):
        return scenario.body

    def configuration(self):
        return CONFIGURATION.format(port=self.port)

    def command(self, connections):
        self.port = free_port()
        (ROOT / PEERS / self.file).write_text(self.configuration())
        return [f"{UNPACKED}/usr/sbin/nginx", "-p", f"{PEERS}/", "-c", self.file, "-e", "stderr"]

    def environment(self):
        return {"LD_LIBRARY_PATH": str(ROOT / LIBRARIES)}
