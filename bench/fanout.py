#!/usr/bin/env python3
"""What it costs to publish to 10,000 subscribers: processor time beside as many send() calls of the same bytes, and
memory. `--check` holds the budgets."""

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import time

from lib_build import build
from lib_machine import BUILD, ROOT, SOURCE, cores, describe, raise_descriptor_limit
from lib_servers import Perigee, Running, ServerError

SUBSCRIBERS = 10_000
ROUNDS = 30
DATA = '{"visitors":12345,"at":"2026-11-22T07:00:00Z","note":"a message as a page would have it, of some hundred bytes"}'
TIMES_SENDS = 1.3  # processor time of a publish, of that of the bare sends
SUBSCRIBER_BYTES = 2_048
SPARE_DESCRIPTORS = 200  # of each process: no process has both ends of a connection
SETTLE_SECONDS = 1


class Channel(Perigee):
    """Perigee with bench/fanout.lua, one worker."""

    app = "fanout.lua"

    def command(self, connections):
        return [*super().command(connections), "--set", "channels.heartbeat=3600"]


class Sends:
    """bench/fanout.c: nothing but send()."""

    name = "sends"

    def __init__(self, count, message):
        self.count = count
        (ROOT / BUILD / "fanout.message").write_bytes(message)

    def command(self, _):
        return [str(build("fanout")), "send", str(self.count), f"{BUILD}/fanout.message"]

    def environment(self):
        return {}


class Subscribers:
    """Connections that read what comes, in a process on the other core."""

    def __init__(self, port, count):
        argv = [str(ROOT / build("fanout")), "listen", str(port), "/events", str(count)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=lambda: os.sched_setaffinity(0, {cores()[1]}))
        self.hear("ready")

    def hear(self, word):
        line = self.process.stdout.readline().strip()
        if line != word:
            raise ServerError(f"the subscribers say '{line}', not '{word}'")

    def during(self, size, work):
        """Has something sent to all, and waits until each has `size` bytes of it."""
        self.process.stdin.write(f"expect {size}\n")
        self.process.stdin.flush()
        self.hear("waiting")
        work()
        self.hear("got")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def publish(connection):
    connection.request("POST", "/publish", body=DATA)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise ServerError(f"publishing: {answer.status}")


def message_of(port):
    """One message as a subscriber is sent it."""
    with socket.create_connection(("127.0.0.1", port)) as reader:
        reader.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream = reader.makefile("rb")
        while stream.readline() != b"\r\n":
            pass
        chunk = stream.read(int(stream.readline(), 16) + 2)  # where the client stands
        publish(http.client.HTTPConnection("127.0.0.1", port))
        head = stream.readline()
        chunk = stream.read(int(head, 16) + 2)
        return head + chunk


def spent(running, subscribers, size, work):
    """The processor time of one round, in seconds."""
    before = running.cpu_seconds()
    subscribers.during(size, work)
    return running.cpu_seconds() - before


def measure(count, times=ROUNDS):
    """Rounds of both, in turn, and what a subscriber adds to the server's memory."""
    with Running(Channel(), cores()[0], connections=20000) as ours:
        message = message_of(ours.port)
        connection = http.client.HTTPConnection("127.0.0.1", ours.port)
        with Subscribers(ours.port, count // 10):  # warms it
            pass
        time.sleep(SETTLE_SECONDS)
        before = ours.resident_bytes()
        with Subscribers(ours.port, count) as listening:
            time.sleep(SETTLE_SECONDS)
            each = (ours.resident_bytes() - before) / count
            sends = Running(Sends(count, message), cores()[0], stdin=subprocess.PIPE)
            try:
                with Subscribers(sends.port, count) as sent_to:
                    return each, len(message), rounds(ours, listening, connection, sends, sent_to, len(message), times)
            finally:
                sends.stop()


def rounds(ours, listening, connection, sends, sent_to, size, times):
    def send():
        sends.process.stdin.write(b"send\n")
        sends.process.stdin.flush()
    pairs = []
    for _ in range(times + 3):
        pairs.append((spent(ours, listening, size, lambda: publish(connection)), spent(sends, sent_to, size, send)))
    return pairs[3:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is broken")
    options = parser.parse_args()
    (ROOT / BUILD).mkdir(parents=True, exist_ok=True)
    count = min(SUBSCRIBERS, raise_descriptor_limit() - SPARE_DESCRIPTORS)
    print(", ".join(f"{name} {value}" for name, value in describe().items() if name in ("machine", "compiler", "commit")))
    each, size, pairs = measure(count)
    ours, bare = (statistics.median(values) for values in zip(*pairs))
    share = statistics.median(one / other for one, other in pairs)
    print(f"{count:,} subscribers, messages of {size} bytes, medians of {ROUNDS} rounds")
    print(f"  one publish           {ours * 1e3:8.2f} ms of processor time, {ours / count * 1e9:,.0f} ns a subscriber")
    print(f"  as many bare send()s  {bare * 1e3:8.2f} ms, {bare / count * 1e9:,.0f} ns each")
    print(f"  the one over the other{share:8.3f}")
    print(f"  memory a subscriber   {each:8.0f} bytes")
    lines = []
    if count < SUBSCRIBERS:
        lines.append(f"only {count:,} subscribers: the limit of descriptors is too low")
    if share > TIMES_SENDS:
        lines.append(f"a publish takes {share:.2f} times the sends, allowed {TIMES_SENDS}")
    if each > SUBSCRIBER_BYTES:
        lines.append(f"a subscriber takes {each:.0f} bytes, allowed {SUBSCRIBER_BYTES}")
    for line in lines:
        print(f"budget broken: {line}")
    if not lines:
        print("all budgets held")
    return 1 if lines and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
