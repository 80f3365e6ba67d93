"""examples/gateway does what its README says, whatever its services do."""

import json
import threading
import time
import unittest

from harness import PATIENCE, ROOT
from peers import free_port, read_head, reset, wait_for_end
from upstream import HttpCase, answer

APP = (ROOT / "examples/gateway/app.lua").read_text()


class Gateway(HttpCase):
    def serve(self, patience=PATIENCE, **ports):
        """A gateway to services that listen on these ports."""
        services = "".join(f'{name} = "http://127.0.0.1:{port}"\n' for name, port in ports.items())
        return self.start(APP, config=f"[app]\npatience = {patience}\n[app.services]\n{services}", workers=2)

    def service(self, says="well", before=lambda: None):
        def reply(method, target, *_):
            before()
            return answer(body=json.dumps({"of": target, "says": says}).encode())
        return self.upstream(reply)

    def test_a_page_of_three_that_are_asked_side_by_side(self):
        all_asked = threading.Barrier(3, timeout=PATIENCE)
        services = [self.service(name, before=all_asked.wait) for name in ("sun", "peace", "late")]
        server = self.serve(weather=services[0].port, news=services[1].port, trains=services[2].port)
        page = server.get("/cities/oslo").json()
        self.assertEqual(page, {"weather": {"of": "/oslo", "says": "sun"}, "news": {"of": "/oslo", "says": "peace"},
                                "trains": {"of": "/oslo", "says": "late"}})

    def test_each_service_is_asked_once_however_many_ask(self):
        service = self.service(before=lambda: time.sleep(0.1))
        server = self.serve(weather=service.port)
        visitors = [threading.Thread(target=server.get, args=("/cities/oslo",)) for _ in range(20)]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
        self.assertEqual(len(service.requests), 1)
        server.get("/cities/oslo", [("Cache-Control", "no-cache")])
        self.assertEqual(len(service.requests), 2)

    def test_it_does_without_services_that_fail(self):
        def stall(connection, _):
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
            wait_for_end(connection)
        bad = {
            "refuses": free_port(),
            "resets": self.peer(lambda connection, _: (read_head(connection), reset(connection))).port,
            "stalls": self.peer(stall).port,
            "lies": self.raw(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"a":1}').port,
            "chatters": self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nnot JSON").port,
            "fails": self.raw(answer("500 No", b"{}")).port,
        }
        server = self.serve(patience=1, weather=self.service().port, **bad)
        page = server.get("/cities/oslo").json()
        self.assertEqual(page["weather"], {"of": "/oslo", "says": "well"})
        missing = page["missing"]
        self.assertEqual(set(missing), set(bad))
        for name, error in (("refuses", "refused"), ("stalls", "timeout"), ("lies", "closed"), ("fails", "status 500")):
            self.assertTrue(missing[name].startswith(error), missing)
        with server.admin() as client:
            report = json.loads(client.request("GET", "/errors", [], host="127.0.0.1").text)
        hosts = {host for kind in report["errors"] for host in kind["hosts"]}
        for name in ("refuses", "resets", "stalls", "lies"):
            self.assertIn(f"127.0.0.1:{bad[name]}", hosts)

    def test_failures_are_not_remembered(self):
        replies = iter([answer("500 No"), answer(body=b'{"says":"again"}')])
        server = self.serve(news=self.upstream(lambda *_: next(replies)).port)
        self.assertEqual(server.get("/cities/oslo").status, 502)
        self.assertEqual(server.get("/cities/oslo").json(), {"news": {"says": "again"}})

    def test_a_city_is_a_word(self):
        server = self.serve(news=self.service().port)
        for path in ("/cities/Oslo!", "/cities/..%2Fx", "/cities/%0d%0aX"):
            self.assertIn(server.get(path).status, (400, 404), path)


if __name__ == "__main__":
    unittest.main()
