#!/usr/bin/env python3
"""What files cost: user instructions of a small one beside nginx with an open-file cache, and downloads of a large one
beside Go's file server and nginx in the same run. `--check` holds the budgets."""

import argparse
import json
import statistics
import subprocess
import sys
import urllib.request

from dataclasses import dataclass

from lib_build import BuildError, build
from lib_count import CountError, counter, instructions_per_request
from lib_load import LoadError
from lib_machine import BUILD, ROOT, SOURCE, cores, describe
from lib_nginx import PEERS, QUIET, NginxLua, free_port
from lib_servers import Perigee, Running, ServerError

FILES = BUILD / "files"
SMALL, LARGE = "x" * 4096, b"0123456789abcdef" * 65536  # 4 KiB, 1 MiB
INSTRUCTIONS = 4_000  # of a request for the small one
ROUNDS, SECONDS, CONNECTIONS = 7, 1.0, 16

NGINX = """\
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid nginx.pid;
error_log stderr warn;
events {{
  worker_connections 20000;
}}
http {{
""" + QUIET + """\
  sendfile on;
  open_file_cache max=1000 inactive=60s;
  open_file_cache_valid 60s;
  types {{ text/plain txt; application/octet-stream bin; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {root};
  }}
}}
"""


@dataclass(frozen=True)
class SmallFile:
    name: str = "small file"
    depth: int = 1
    churn: bool = False
    path: str = str(BUILD / "small.txt")  # of the request

    def begin(self, running):
        """It needs nothing of a running server."""


class PerigeeFiles(Perigee):
    """Perigee with bench/files.lua."""

    def command(self, connections):
        command = super().command(connections)
        return [word.replace("app.lua", "files.lua") for word in command]


class CountedFiles(PerigeeFiles):
    """The same where valgrind counts, which has no openat2(2)."""

    def environment(self):
        return {"LD_PRELOAD": str(ROOT / build("openat2.so"))} if counter().name == "callgrind" else {}


class NginxFiles(NginxLua):
    """nginx with its cache of open files."""

    name = "nginx"

    def command(self, connections):
        self.port = free_port()
        (ROOT / PEERS / "files.conf").write_text(NGINX.format(port=self.port, root=ROOT / FILES))
        return [f"{PEERS}/unpacked/usr/sbin/nginx", "-p", f"{PEERS}/", "-c", "files.conf", "-e", "stderr"]


class GoFiles:
    """Go's net/http file server (bench/go/fileserver.go)."""

    name = "go"
    program = BUILD / "fileserver"

    def prepare(self):
        command = ["go", "build", "-o", str(self.program), f"{SOURCE}/go/fileserver.go"]
        try:
            result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        except OSError as failure:
            raise ServerError(f"cannot be built ({failure.strerror}): Debian has it as golang-go") from failure
        if result.returncode != 0:
            raise ServerError(f"cannot be built: {result.stderr.strip().splitlines()[0]}")

    def command(self, connections):
        return [str(self.program), str(FILES)]

    def environment(self):
        return {}


def prepare():
    (ROOT / FILES).mkdir(parents=True, exist_ok=True)
    (ROOT / FILES / "small.txt").write_text(SMALL)
    (ROOT / FILES / "large.bin").write_bytes(LARGE)
    request = b"GET /small.txt HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"
    (ROOT / SmallFile.path).write_bytes(request)


def check_bodies(running):
    """Every server must send the very files."""
    for name, wanted in (("small.txt", SMALL.encode()), ("large.bin", LARGE)):
        with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/{name}", timeout=10) as answer:
            if answer.read() != wanted:
                raise ServerError(f"{running.name} sends another {name}")


def downloads(running, seconds):
    """Answers a second of the large file."""
    command = [str(build("download")), str(running.port), "/large.bin", str(CONNECTIONS), str(seconds), str(cores()[1])]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LoadError(f"{running.name}: {result.stderr.strip()}")
    figures = json.loads(result.stdout)
    return figures["answers"] / figures["seconds"]


def download_rounds(servers, rounds=ROUNDS):
    """For each server the rounds' answers a second. They go from server to server."""
    seen = {server.name: [] for server in servers}
    running = []
    try:
        for server in servers:
            running.append(Running(server, cores()[0]))
            check_bodies(running[-1])
            downloads(running[-1], SECONDS / 2)
        for _ in range(rounds):
            for one in running:
                seen[one.name].append(downloads(one, SECONDS))
    finally:
        for one in running:
            one.stop()
    return seen


def count_small(servers):
    counts = {}
    for server in servers:
        server.body = lambda _: SMALL
        counts[server.name] = instructions_per_request(server, SmallFile(), cores()[0])
    return counts


def broken(counts, rates):
    """One line for each budget that is broken or could not be checked."""
    lines = []
    count = counts.get("perigee")
    if count is None or count > INSTRUCTIONS:
        lines.append(f"4 KiB: {count or 0:,.0f} instructions a request, allowed {INSTRUCTIONS:,}")
    if "go" not in rates or "perigee" not in rates:
        lines.append("1 MiB beside Go: not measured")
    elif statistics.median(rates["perigee"]) < statistics.median(rates["go"]):
        lines.append("1 MiB: fewer requests a second than Go's file server")
    return lines


def have(servers):
    there = []
    for server in servers:
        try:
            server.prepare()
            there.append(server)
        except ServerError as failure:
            print(f"{server.name}: {failure}")
    return there


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is broken or cannot be checked")
    options = parser.parse_args()
    prepare()
    try:
        servers = have([PerigeeFiles(), NginxFiles(), GoFiles()])
        counts = count_small(have([CountedFiles(), NginxFiles()]))
        rates = download_rounds(servers)
    except (BuildError, CountError, LoadError, ServerError) as failure:
        sys.exit(f"bench: {failure}")
    print(", ".join(f"{name} {value}" for name, value in describe().items() if name in ("machine", "compiler", "commit")))
    print(f"4 KiB, user instructions a request ({counter().name})")
    for name, count in counts.items():
        print(f"  {name:8} {count:8,.0f}")
    print(f"1 MiB, requests a second, the median (least, most) of {ROUNDS} rounds")
    for name, seen in rates.items():
        print(f"  {name:8} {statistics.median(seen):8,.0f}  ({min(seen):,.0f}, {max(seen):,.0f})")
    lines = broken(counts, rates)
    for line in lines:
        print(f"budget broken: {line}")
    if not lines:
        print("all budgets held")
    return 1 if lines and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
