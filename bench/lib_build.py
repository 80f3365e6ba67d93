"""Compiles the bench's own programs into build/bench."""

import subprocess

from lib_machine import BUILD, ROOT, SOURCE

C_FLAGS = ["-O2", "-Wall", "-Wextra"]
RELEASE = "build/release"
CLIENT = [f"{SOURCE}/{name}.c" for name in ("answer", "client", "histogram")]
PARTS = ("base", "http", "net", "state", "script")  # of the engine, that micro_*.cc look at
# In the order that the linker wants, and what the release binary is linked with.
ENGINE = [f"{RELEASE}/libperigee_{name}.a" for name in ("script", "files", "client", "http", "net", "state", "profiler",
                                                       "base")]
OF_ENGINE = ["-Wl,--undefined=perigee_header", "-Wl,--export-dynamic-symbol=perigee_*", "-lhttp_parser", "-lbrotlienc",
             "-lbrotlidec", "-levent_core", "-lssl", "-lcares", "-lb2", "-lsqlite3", "-lz", "-lcrypto", "-largon2",
             "-lbacktrace", "-lluajit-5.1", "-lspdlog", "-lfmt", "-lpthread", "-ldl"]
PROGRAMS = {
    "load": ["gcc", *C_FLAGS, f"{SOURCE}/load.c", *CLIENT],
    "open": ["gcc", *C_FLAGS, f"{SOURCE}/open.c", *CLIENT, "-lm"],
    "download": ["gcc", *C_FLAGS, f"{SOURCE}/download.c"],
    "openat2.so": ["gcc", *C_FLAGS, "-shared", "-fPIC", f"{SOURCE}/openat2.c"],
    "fanout": ["gcc", *C_FLAGS, f"{SOURCE}/fanout.c"],
    "floor": ["gcc", *C_FLAGS, f"{SOURCE}/floor.c"],
    "gateway_floor": ["gcc", *C_FLAGS, f"{SOURCE}/gateway_floor.c"],
    "parser": ["gcc", *C_FLAGS, f"{SOURCE}/parser.c", "-lhttp_parser"],
    "sessions": ["g++", "-std=c++20", *C_FLAGS, "-Iengine", f"{SOURCE}/sessions.cc",
                 f"{RELEASE}/libperigee_state.a", f"{RELEASE}/libperigee_base.a", "-lb2", "-lsqlite3", "-lcrypto",
                 "-lpthread"],
    "scanner": ["g++", "-std=c++20", *C_FLAGS, "-Iengine", f"{SOURCE}/scanner.cc",
                f"{RELEASE}/libperigee_http.a", f"{RELEASE}/libperigee_base.a", "-lhttp_parser", "-lpthread"],
    "micro": ["g++", "-std=c++20", *C_FLAGS, "-Iengine", "-Itests", "-isystem", "/usr/include/luajit-2.1",
              f"{SOURCE}/micro.cc", *(f"{SOURCE}/micro_{part}.cc" for part in PARTS), *ENGINE, *OF_ENGINE, "-lbenchmark"],
    "errors": ["g++", "-std=c++20", *C_FLAGS, "-Iengine", f"{SOURCE}/errors.cc",
               f"{RELEASE}/libperigee_profiler.a", f"{RELEASE}/libperigee_base.a", "-lbenchmark", "-lpthread"],
}


class BuildError(Exception):
    """A program of the bench does not compile."""


def newest_source(name):
    """When the newest of a program's sources and libraries was changed."""
    files = [ROOT / word for word in PROGRAMS[name] if word.startswith((str(SOURCE), RELEASE))]
    missing = [file for file in files if not file.exists()]
    if missing:
        raise BuildError(f"{name} needs {missing[0].relative_to(ROOT)}, which is not built")
    return max(file.stat().st_mtime for file in [*files, *(ROOT / SOURCE).glob("*.h")])


def build(name):
    """Makes build/bench/NAME if it is older than its sources and returns its path."""
    program = BUILD / name
    newest = newest_source(name)
    if (ROOT / program).exists() and (ROOT / program).stat().st_mtime > newest:
        return program
    (ROOT / BUILD).mkdir(parents=True, exist_ok=True)
    command = [*PROGRAMS[name], "-o", str(program)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        reasons = [line for line in result.stderr.splitlines() if "error:" in line or "undefined reference" in line]
        raise BuildError(f"{name} does not compile: {(reasons or ['no reason given'])[0]}")
    return program
