"""perigee.socket against real peers: TCP, Unix and UDP, pools, timeouts, and whatever peers do wrong."""

import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import PATIENCE, wait_until
from peers import echo, free_port, reset, wait_for_end
from socket_case import APP, SocketCase


class Conversation(SocketCase):
    APP = APP

    def test_lines_counts_and_the_rest_are_received(self):
        def talk(connection, _):
            connection.sendall(b"first\\r\\nsecond\\n\\n12345rest of it".replace(b"\\r", b"\r").replace(b"\\n", b"\n"))
        peer = self.peer(talk)
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            return sock:receive(), sock:receive("*l"), sock:receive("*l"), sock:receive(5), sock:receive("*a"),
              sock:receive()""", peer.port)
        self.assertEqual(found, ["first", "second", "", "12345", "rest of it", None, "closed", ""])

    def test_a_byte_at_a_time_gives_the_same(self):
        def talk(connection, _):
            for byte in b"line\r\nab--mark--cd":
                connection.sendall(bytes([byte]))
        peer = self.peer(talk)
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            local line = sock:receive()
            local upto = sock:receiveuntil("--mark--")
            return line, (upto()), sock:receive("*a")""", peer.port)
        self.assertEqual(found, ["line", "ab", "cd"])

    def test_strings_numbers_and_nested_lists_are_sent(self):
        peer = self.peer(echo)
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            return sock:send({ "a", 1, { "b", { 2 } } }), sock:receive(4), sock:send(""), sock:send(77), sock:receive(2)""",
                             peer.port)
        self.assertEqual(found, [4, "a1b2", 0, 2, "77"])

    def test_receiveuntil_gives_parts_and_a_nil_at_the_mark(self):
        def talk(connection, _):
            connection.sendall(b"hello, world! --abcxyz--next--abcxyz--")
        peer = self.peer(talk)
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            local read = sock:receiveuntil("--abcxyz--")
            return read(4), read(4), read(8), read(4) or "at the mark", read(), read()""", peer.port)
        self.assertEqual(found, ["hell", "o, w", "orld! ", "at the mark", "next", None, "closed", ""])

    def test_receiveuntil_may_include_the_mark(self):
        peer = self.peer(lambda connection, _: connection.sendall(b"one;two;"))
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            local read = sock:receiveuntil(";", { inclusive = true })
            return (read()), (read())""", peer.port)
        self.assertEqual(found, ["one;", "two;"])

    def test_receiveany_takes_what_is_there(self):
        peer = self.peer(lambda connection, _: connection.sendall(b"abcdef"))
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            return sock:receiveany(4), sock:receiveany(4), sock:receiveany(4)""", peer.port)
        self.assertEqual(found, ["abcd", "ef", None, "closed", ""])

    def test_much_is_sent_and_received_while_others_are_served(self):
        peer = self.peer(echo)
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            local other = perigee.spawn(function() perigee.sleep(0) return "served" end)
            local text = ("0123456789abcdef"):rep(4096)
            for i = 1, 16 do
              assert(sock:send(text))
              if sock:receive(#text) ~= text then return "differs" end
            end
            return other:wait()""", peer.port)
        self.assertEqual(found, ["served"])

    def test_unix_sockets(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.peer(echo, family=socket.AF_UNIX, address=folder + "/s")
        found = self.run_lua(f"""
            local plain = perigee.socket.unix()
            assert(plain:connect("{folder}/s"))
            assert(plain:send("x"))
            assert(sock:connect("unix:{folder}/s"))
            assert(sock:send("y"))
            return plain:receive(1), sock:receive(1), perigee.socket.unix():connect("{folder}/none")""")
        self.assertEqual(found, ["x", "y", None, "refused"])

    def test_udp(self):
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(peer.close)
        peer.bind(("127.0.0.1", 0))

        def talk():
            for _ in range(3):
                data, client = peer.recvfrom(65536)
                peer.sendto(data.upper(), client)
        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        found = self.run_lua("""
            local udp = perigee.socket.udp()
            local before, why = udp:send("x")
            assert(udp:connect("127.0.0.1", port))
            udp:settimeout(5)
            assert(udp:send("one")) assert(udp:send({ "t", "wo" }))
            local one, two = udp:receive(), udp:receive(2)
            assert(udp:send(""))
            local none = udp:receive()
            local big, too = udp:send(("x"):rep(70000))
            udp:settimeout(0.05)
            local _, late = udp:receive()
            return why, one, two, none, too, late, udp:close(), udp:close()""", peer.getsockname()[1])
        self.assertEqual(found, ["closed", "ONE", "TW", "", "too_large", "timeout", True, None, "closed"])
        thread.join(PATIENCE)


class Redis(SocketCase):
    APP = APP

    def test_a_conversation_with_a_real_server(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder, True)
        port = free_port()
        redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
                                  folder, "--daemonize", "no"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(redis.wait)
        self.addCleanup(redis.kill)

        def ready():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        wait_until(ready, "redis-server")
        found = self.run_lua("""
            local function command(...)
              local parts = { "*", select("#", ...), "\\r\\n" }
              for _, word in ipairs { ... } do
                parts[#parts + 1] = { "$", #word, "\\r\\n", word, "\\r\\n" }
              end
              assert(sock:send(parts))
              local line = assert(sock:receive())
              local kind, rest = line:sub(1, 1), line:sub(2)
              if kind ~= "$" or rest == "-1" then return line end
              local data = assert(sock:receive(tonumber(rest)))
              assert(sock:receive(2) == "\\r\\n")
              return data
            end
            local out = {}
            for i = 1, 3 do
              assert(sock:connect("localhost", port))
              out[#out + 1] = sock:getreusedtimes()
              out[#out + 1] = command("SET", "key", "line\\r\\nbreak " .. i)
              out[#out + 1] = command("GET", "key")
              assert(sock:setkeepalive(10, 4))
            end
            assert(sock:connect("localhost", port))
            out[#out + 1] = command("GET", "nothing")
            return unpack(out)""", port)
        self.assertEqual(found, [0, "+OK", "line\r\nbreak 1", 1, "+OK", "line\r\nbreak 2", 2, "+OK", "line\r\nbreak 3",
                                 "$-1"])


class Pools(SocketCase):
    APP = APP

    def test_a_connection_is_taken_again_and_counted(self):
        peer = self.peer(echo)
        found = self.run_lua("""
            local out = {}
            for i = 1, 3 do
              assert(sock:connect("127.0.0.1", port))
              out[i] = sock:getreusedtimes()
              assert(sock:send("x") and sock:receive(1))
              assert(sock:setkeepalive())
            end
            return unpack(out)""", peer.port)
        self.assertEqual(found, [0, 1, 2])
        self.assertEqual(peer.accepted, 1)

    def test_pools_have_names_and_do_not_mix(self):
        peer = self.peer(echo)
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port, { pool = "one" }))
            assert(sock:setkeepalive())
            local function taken(options)
              local other = perigee.socket.tcp()
              assert(other:connect("127.0.0.1", port, options))
              return other:getreusedtimes()
            end
            return taken(), taken({ pool = "two" }), taken({ pool = "one" })""", peer.port)
        self.assertEqual(found, [0, 0, 1])

    def test_what_was_not_read_is_never_handed_on(self):
        peer = self.peer(lambda connection, _: (connection.sendall(b"secret" if _ == 1 else b"right"),
                                                wait_for_end(connection)))
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            assert(sock:receive(3) == "sec")
            local kept, why = sock:setkeepalive()
            assert(sock:connect("127.0.0.1", port))
            return kept == nil, why, sock:getreusedtimes(), sock:receive(5)""", peer.port)
        self.assertEqual(found, [True, "closed: bytes of it were not read", 0, "right"])

    def test_stray_bytes_and_ends_drop_a_pooled_connection(self):
        go = threading.Event()

        def talk(connection, number):
            if number == 1:
                go.wait(PATIENCE)
                connection.sendall(b"stray")
            elif number == 2:
                go.wait(PATIENCE)
                return
            wait_for_end(connection)
        peer = self.peer(talk)
        self.run_lua("""
            local second = perigee.socket.tcp()
            assert(sock:connect("127.0.0.1", port)) assert(second:connect("127.0.0.1", port))
            assert(sock:setkeepalive()) assert(second:setkeepalive())""", peer.port)
        peer.wait_open(2)
        go.set()
        peer.wait_open(0)
        found = self.run_lua('assert(sock:connect("127.0.0.1", port)) return sock:getreusedtimes()', peer.port)
        self.assertEqual(found, [0])

    def test_idle_connections_end_after_their_time_and_over_the_pool_s_size(self):
        peer = self.peer(lambda connection, _: wait_for_end(connection))
        self.run_lua("""
            local socks = {}
            for i = 1, 5 do
              socks[i] = perigee.socket.tcp()
              assert(socks[i]:connect("127.0.0.1", port))
            end
            for i = 1, 5 do assert(socks[i]:setkeepalive(60, 2)) end""", peer.port)
        peer.wait_open(2)
        self.run_lua("""
            assert(sock:connect("127.0.0.1", port)) assert(sock:setkeepalive(0.02))
            assert(sock:connect("127.0.0.1", port)) assert(sock:setkeepalive(0.02))""", peer.port)
        peer.wait_open(1)

    def test_a_reload_ends_the_pools_of_what_was_before(self):
        server = self.start(APP)
        peer = self.peer(lambda connection, _: wait_for_end(connection))
        self.run_lua('assert(sock:connect("127.0.0.1", port)) assert(sock:setkeepalive())', peer.port, server)
        peer.wait_open(1)
        server.reload()
        peer.wait_open(0)


class Faults(SocketCase):
    APP = APP
    SETTINGS = {"limits.cpu": 10}  # sanitizers are slow

    def test_a_port_where_nobody_listens_refuses(self):
        found = self.run_lua('return sock:connect("127.0.0.1", port)', free_port())
        self.assertEqual(found, [None, "refused"])

    def test_a_connect_that_is_not_answered_times_out(self):
        # A listening socket that never accepts, its queue full: the next SYN gets no answer.
        full = socket.socket()
        self.addCleanup(full.close)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            self.addCleanup(filler.close)
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        started = time.monotonic()
        found = self.run_lua('sock:settimeout(0.1) return sock:connect("127.0.0.1", port)', full.getsockname()[1])
        self.assertEqual(found, [None, "timeout"])
        self.assertLess(time.monotonic() - started, PATIENCE)

    def test_a_peer_that_stalls_times_out_and_what_had_come_is_shown(self):
        def talk(connection, _):
            connection.sendall(b"half a li")
            wait_for_end(connection)
        peer = self.peer(talk)
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            sock:settimeouts(nil, nil, 0.1)
            local line, err, partial = sock:receive()
            local again, why, rest = sock:receive()
            return line, err, partial, again, why, rest""", peer.port)
        self.assertEqual(found, [None, "timeout", "half a li", None, "timeout", ""])

    def test_a_peer_that_does_not_read_times_out_what_is_sent(self):
        stop = threading.Event()
        self.addCleanup(stop.set)
        peer = self.peer(lambda connection, _: stop.wait(PATIENCE))
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            sock:settimeouts(nil, 0.2, nil)
            local sent, err = sock:send(("x"):rep(2^26))
            return sent == nil, err, (sock:send("x")) == nil""", peer.port)
        self.assertEqual(found, [True, "timeout", True])

    def test_a_reset_is_told_from_an_end(self):
        def talk(connection, _):
            connection.sendall(b"ab")
            connection.recv(1)
            reset(connection)
        peer = self.peer(talk)
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            assert(sock:receive(2) and sock:send("x"))
            return sock:receive(1)""", peer.port)
        self.assertEqual(found[:2], [None, "reset"])

    def test_one_receive_collects_no_more_than_the_configuration_says(self):
        server = self.start(APP, config='[client]\nreceive = "100KiB"\n')

        def talk(connection, _):
            for _ in range(1000):
                connection.sendall(b"x" * 65536)
        peer = self.peer(talk)
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            local line, err, partial = sock:receive()
            return line, err, #partial""", peer.port, server)
        self.assertEqual(found, [None, "too_large", 100 * 1024])

    def test_a_task_that_is_cancelled_closes_what_it_waited_for(self):
        peer = self.peer(lambda connection, _: wait_for_end(connection))
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            local task = perigee.spawn(function() return sock:receive() end)
            perigee.sleep(0)
            task:cancel()
            local _, err = task:wait()
            return err:match("^%a+"), sock:close()""", peer.port)
        self.assertEqual(found, ["cancelled", None, "closed"])
        peer.wait_open(0)

    def test_a_client_that_leaves_closes_what_its_handler_waited_for(self):
        peer = self.peer(lambda connection, _: wait_for_end(connection))
        client = self.connect()
        client.send_request("POST", f"/run?port={peer.port}", (),
                            'assert(sock:connect("127.0.0.1", port)) return sock:receive()')
        peer.wait_open(1)
        client.abort()
        peer.wait_open(0)

    def test_a_thousand_cancelled_tasks_leave_no_socket(self):
        peer = self.peer(lambda connection, _: wait_for_end(connection))
        before = self.server.descriptors()
        self.run_lua("""
            local tasks = {}
            for i = 1, 300 do
              tasks[i] = perigee.spawn(function()
                local own = perigee.socket.tcp()
                assert(own:connect("127.0.0.1", port))
                own:receive()
              end)
            end
            perigee.sleep(0.05)
            for _, task in ipairs(tasks) do task:cancel() end
            for _, task in ipairs(tasks) do task:wait() end""", peer.port)
        peer.wait_open(0)
        wait_until(lambda: self.server.descriptors() <= before + 2, "the descriptors to be given back")

    def test_a_socket_is_one_task_s_at_a_time(self):
        peer = self.peer(lambda connection, _: wait_for_end(connection))
        found = self.run_lua("""
            assert(sock:connect("127.0.0.1", port))
            sock:settimeout(0.2)
            local task = perigee.spawn(function() return sock:receive() end)
            perigee.sleep(0)
            local ok, err = pcall(sock.receive, sock, 1)
            local closed, why = pcall(sock.close, sock)
            task:wait()
            return ok, err:match("'receive'.*"), closed, sock:close()""", peer.port)
        self.assertEqual(found, [False, "'receive': another task is using the socket, in 'receive'", False, True])

    def test_a_datagram_socket_that_is_received_from_is_not_closed_by_another_task(self):
        found = self.run_lua("""
            local udp = perigee.socket.udp()
            assert(udp:connect("127.0.0.1", port))
            udp:settimeout(0.2)
            local task = perigee.spawn(function() return udp:receive() end)
            perigee.sleep(0)
            local ok, err = pcall(udp.close, udp)
            return ok, err:match("'close'.*"), select(2, task:wait()), udp:close()""", free_port())
        self.assertEqual(found, [False, "'close': another task is using the socket, in 'receive'", "timeout", True])

    def test_a_socket_that_is_forgotten_is_closed(self):
        peer = self.peer(lambda connection, _: wait_for_end(connection))
        self.assertEqual(self.server.fetch("POST", f"/keep?port={peer.port}").status, 200)
        peer.wait_open(1)
        self.assertEqual(self.server.fetch("POST", "/drop").status, 200)
        peer.wait_open(0)

    def test_wrong_arguments_raise_where_they_were_given(self):
        cases = {
            'sock:connect("127.0.0.1")': "bad argument #2 to 'connect' (a port from 1 to 65535 expected)",
            'sock:connect("a b", 1)': "bad argument #1 to 'connect' (a host name or IP address expected)",
            'sock:connect("x", 1, { pol = 1 })': "'connect': there is no option 'pol'",
            'sock:connect("x", 1, { tls = { verfy = false } })': "'connect': there is no TLS option 'verfy'",
            'sock:connect("x", 1, { tls = { verify = 1 } })': "'connect': the TLS option 'verify' is a boolean",
            'sock:receive("*x")': "bad argument #1 to 'receive' (\"*l\", \"*a\" or a number of bytes expected)",
            'sock:receiveuntil("")': "bad argument #1 to 'receiveuntil' (a string that is not empty expected)",
            'sock:connect("x", 1, "y")': "bad argument #3 to 'connect' (a table of options expected)",
            'sock:connect("unix:/x", "y")': "bad argument #2 to 'connect' (a table of options expected)",
            'sock:setkeepalive(1, 0)': "bad argument #2 to 'setkeepalive' (a number of connections, 1 or more, expected)",
            'sock:receiveuntil("x", 1)': "bad argument #2 to 'receiveuntil' (a table of options expected)",
            'sock:settimeout("1")': "bad argument #1 to 'settimeout' (a number of seconds, 0 or more, expected)",
        }
        for code, message in cases.items():
            with self.subTest(code):
                found = self.run_lua("return select(2, pcall(function() " + code + " end))")
                self.assertEqual(found, ["body:1: " + message])

    def test_operations_on_what_is_not_connected_say_closed(self):
        found = self.run_lua("""
            return select(2, sock:send("x")), select(2, sock:receive()), select(2, sock:close()),
              select(2, sock:setkeepalive()), select(2, sock:sslhandshake()), sock:getreusedtimes()""")
        self.assertEqual(found, ["closed"] * 5 + [0])


if __name__ == "__main__":
    unittest.main()
