"""Where and of what a run was made: folders, cores, machine, compiler, commit."""

import datetime
import os
import pathlib
import platform
import resource
import subprocess
import time

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


class Others:
    """What the machine does beside the bench, which is what makes times differ."""

    def __init__(self):
        self.load, self.time, self.busy, self.own = os.getloadavg()[0], time.monotonic(), busy_seconds(), own_seconds()

    def told(self):
        seconds = (time.monotonic() - self.time) * (os.cpu_count() or 1)
        share = max(0.0, busy_seconds() - self.busy - (own_seconds() - self.own)) / seconds
        return {"load before": f"{self.load:.2f}", "load after": f"{os.getloadavg()[0]:.2f}",
                "others": f"{share:.0%} of all cores' time"}


def busy_seconds():
    """Processor time of the whole machine."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, interrupts, soft, *_ = (int(word) for word in stat.readline().split()[1:])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    """Of the bench and of all it started that has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
