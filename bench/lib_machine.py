"""Where and of what a run was made: folders, cores, machine, compiler, commit."""

import datetime
import os
import pathlib
import platform
import resource
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = pathlib.Path("bench")  # every command runs in ROOT, so that reports name no machine's folders
BUILD = pathlib.Path("build/bench")


def raise_descriptor_limit():
    """Ten thousand connections need as many descriptors; children inherit the limit. Returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def cores():
    """(server's core, client's core): the first two that are allowed, or one for both."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def first_line(*command):
    """The first line a command prints, or "" when it cannot run."""
    try:
        output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
    return output.splitlines()[0].strip() if output.strip() else ""


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        names = [line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def commit():
    changed = " with changes" if first_line("git", "status", "--porcelain", "--untracked-files=no") else ""
    return (first_line("git", "rev-parse", "--short=12", "HEAD") or "unknown") + changed


def describe():
    server_core, client_core = cores()
    return {
        "machine": processor(),
        "kernel": platform.release(),
        "compiler": first_line("g++", "--version"),
        "valgrind": first_line("valgrind", "--version"),
        "commit": commit(),
        "server_core": server_core,
        "client_core": client_core,
    }


def now_text():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
