"""Recordings that overlap, outlive their client, meet a reload or the server's end; and the command, kind by kind."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

from harness import run_perigee, wait_until
from test_profile import Load
from test_profile_kinds import APP, LINES, Kinds

PATHS = {"profile": "/spin", "allocs": "/tables", "wait": "/nap/20", "block": "/stop"}
PLANTED = {"profile": "spin", "allocs": "interpreted", "wait": "nap", "block": "execute"}
SECONDS = float(os.environ.get("PERIGEE_PROFILE_STRESS", "3"))


class Lives(Kinds):
    def test_two_of_each_kind_at_once_all_see_their_line(self):
        found, loads = [], [Load(self.server, path, 1) for path in PATHS.values()]
        for load in loads:
            load.__enter__()
        try:
            both = [threading.Thread(target=lambda k=kind, h=hz: found.append((k, self.record(k, 1.5, h))))
                    for kind in PATHS for hz in (50, 500)]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()
        finally:
            for load in loads:
                load.__exit__()
        self.assertEqual(len(found), 8)
        for kind, profile in found:
            self.assertTrue(any(line == LINES[PLANTED[kind]] for stack, _, _ in profile.samples for _, _, line in stack),
                            (kind, profile.samples))

    def test_a_client_that_leaves_half_way_harms_nobody(self):
        for kind in PATHS:
            with self.server.admin() as client:
                client.send(f"GET /debug/pprof/{kind}?seconds=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        with Load(self.server, "/nap/20", 2):
            self.assertGreater(self.share(self.record("wait"), "nap"), 0.9)

    def test_who_leaves_ends_the_recording_and_makes_room(self):
        server = self.start(APP, settings={"limits.cpu": 0})

        def status():
            with server.admin() as client:
                return client.request("GET", "/debug/folded?seconds=0.1", host="127.0.0.1").status

        clients = [server.admin() for _ in range(16)]
        for number, client in enumerate(clients):
            kind = list(PATHS)[number % len(PATHS)]
            client.send(f"GET /debug/pprof/{kind}?seconds=600 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        wait_until(lambda: status() == 503, "all of them to be under way")
        clients.pop().abort()
        clients.pop().close()
        wait_until(lambda: status() == 200, "room for another")
        for client in clients:
            client.abort()

    def test_stopping_does_not_wait_for_any_kind(self):
        for kind, path in PATHS.items():
            server = self.start(APP, settings={"limits.cpu": 0})
            with server.admin() as client:
                client.send(f"GET /debug/pprof/{kind}?seconds=600 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
                self.assertEqual(server.get(path).status, 200)
                server.stop()

    def test_all_kinds_at_a_thousand_a_second_under_load_errors_and_reloads(self):
        server = self.start(APP, workers=2, settings={"limits.cpu": 0, "log.level": "error"})
        found = {}
        over = threading.Event()

        def reload():
            while not over.wait(0.2):
                server.reload()

        def record(kind):
            found[kind] = self.record(kind, SECONDS, 1000, server)

        threads = [threading.Thread(target=record, args=(kind,)) for kind in PATHS]
        reloading = threading.Thread(target=reload)
        loads = [Load(server, path, 1) for path in (*PATHS.values(), "/much", "/inner", "/fail", "/missing")]
        for load in loads:
            load.__enter__()
        reloading.start()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        over.set()
        reloading.join()
        for load in loads:
            load.__exit__()
        self.assertEqual(set(found), set(PATHS))
        for kind, profile in found.items():
            self.assertTrue(any(line == LINES[PLANTED[kind]] for stack, _, _ in profile.samples for _, _, line in stack), kind)
        self.assertEqual([load.statuses for load in loads], [{200}] * 6 + [{500}, {404}])

    def test_absurd_parameters_are_refused_for_every_kind(self):
        with self.server.admin() as client:
            for kind in PATHS:
                for query in ("seconds=0", "seconds=-1", "seconds=1e99", "seconds=nan", "hz=0", "hz=1001", "hz=x"):
                    self.assert_problem(client.request("GET", f"/debug/pprof/{kind}?{query}", host="127.0.0.1"), 400)
            for kind in ("heap", "goroutine", "..%2fjit"):
                self.assertIn(client.request("GET", f"/debug/pprof/{kind}", host="127.0.0.1").status, (400, 404))


class Command(Kinds):
    """`perigee profile KIND` names the planted line first."""

    def first_row(self, kind, *paths):
        admin = "{}:{}".format(*self.server.admin_address)
        loads = [Load(self.server, path, 2) for path in paths]
        for load in loads:
            load.__enter__()
        result = run_perigee("profile", kind, "--admin", admin, "--seconds", "1.5", "--hz", "250")
        for load in loads:
            load.__exit__()
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.splitlines()[3]

    def test_cpu(self):
        self.assertRegex(self.first_row("cpu", "/spin", "/"), rf"spin +\S*app\.lua:{LINES['spin']}$")

    def test_alloc(self):
        self.assertRegex(self.first_row("alloc", "/tables", "/"), rf"interpreted +\S*app\.lua:{LINES['interpreted']}$")

    def test_wait(self):
        self.assertRegex(self.first_row("wait", "/nap/50", "/"), rf"\[perigee\.sleep\] +\S*app\.lua:{LINES['nap']}$")

    def test_block(self):
        self.assertRegex(self.first_row("block", "/stop", "/"), rf'get "/stop" +\S*app\.lua:{LINES["execute"]}$')

    def test_pprof_lists_the_lines_of_allocation_and_focuses_on_a_route(self):
        go = shutil.which("go")
        self.assertIsNotNone(go, "this test needs Go's pprof (Debian: golang-go); ./dev test installs it")
        with tempfile.TemporaryDirectory() as folder:
            files = [str(pathlib.Path(folder) / name) for name in ("before.pb.gz", "after.pb.gz")]
            for file, path in zip(files, ("/tables", "/much"), strict=True):
                with Load(self.server, path, 2), self.server.admin() as client:
                    response = client.request("GET", "/debug/pprof/allocs?seconds=1", host="127.0.0.1")
                pathlib.Path(file).write_bytes(response.body)

            def pprof(*words):
                environment = {**os.environ, "HOME": folder, "PPROF_TMPDIR": folder}
                result = subprocess.run([go, "tool", "pprof", *words], capture_output=True, text=True, timeout=60,
                                        cwd=self.server.directory, env=environment, check=False)
                self.assertEqual(result.returncode, 0, result.stderr)
                return result.stdout

            self.assertIn("-- LINE interpreted", pprof("-list", "interpreted", files[0]))
            self.assertIn("interpreted", pprof("-top", "-tagfocus=route=GET /tables", files[0]))
            self.assertNotIn("interpreted", pprof("-top", "-tagfocus=route=GET /much", files[0]))
            change = pprof("-top", "-diff_base", files[0], files[1])
            self.assertRegex(change, r"-[0-9.]+[kMG]?B .*interpreted")
            self.assertRegex(change, r"\n +[0-9.]+[kMG]?B .* much")
