"""An event stream as a client reads it, by the rules of WHATWG HTML section 9.2, over the harness's connection."""

import dataclasses

from harness import Closed


@dataclasses.dataclass
class Event:
    data: str
    event: str = "message"
    id: str = ""


class EventStream:
    """The events of one answer, one after the other. `client` is a harness Client."""

    def __init__(self, client, target, last_event_id=None, headers=(), version="HTTP/1.1"):
        self.client, self.last_event_id, self.comments, self.ended = client, last_event_id, 0, False
        if last_event_id is not None:
            headers = [*headers, ("Last-Event-ID", last_event_id)]
        client.send_request("GET", target, headers, version=version)
        self.response = client.read_head()
        self.chunked = self.response.header("transfer-encoding") == "chunked"
        self.text, self.retry = b"", None

    def _more(self):
        if not self.chunked:
            self.client._more()
            self.text, self.client.buffer = self.text + self.client.buffer, b""
            return
        size = int(self.client.read_until(b"\r\n"), 16)
        self.text += self.client.read_exactly(size)
        if self.client.read_exactly(2) != b"\r\n":
            raise AssertionError("a chunk without an end")
        if size == 0:
            self.ended = True
            raise Closed(self.text)

    def _block(self):
        while b"\n\n" not in self.text:
            self._more()
        block, _, self.text = self.text.partition(b"\n\n")
        return block.decode().split("\n")

    def position(self):
        """Reads what says where the client stands, and nothing else; returns the id."""
        lines = self._block()
        if len(lines) != 1 or not lines[0].startswith("id: "):
            raise AssertionError(f"not a position: {lines}")
        self.last_event_id = lines[0][4:]
        return self.last_event_id

    def next(self):
        """The next event; raises Closed at the end of the stream."""
        while True:
            data, kind = [], "message"
            for line in self._block():
                name, _, value = line.partition(":")
                value = value[1:] if value.startswith(" ") else value
                if name == "":
                    self.comments += 1
                elif name == "data":
                    data.append(value)
                elif name == "event":
                    kind = value
                elif name == "id":
                    self.last_event_id = value
                elif name == "retry":
                    self.retry = int(value)
                else:
                    raise AssertionError(f"no field of an event stream: {line!r}")
            if data:
                return Event("\n".join(data), kind, self.last_event_id)

    def take(self, count):
        return [self.next() for _ in range(count)]

    def data(self, count):
        return [event.data for event in self.take(count)]

    def until_end(self):
        """The data of what still comes, until the server ends the stream."""
        data = []
        try:
            while True:
                data.append(self.next().data)
        except Closed:
            return data
