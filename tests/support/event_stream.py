"""Server-sent events of the API, as a program reads them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

ACCEPT = {"Accept": "text/event-stream"}
WITHIN = 60.0
"""Seconds that the other side may be silent: more than a heartbeat, and than a look at what was not told."""


class EventStream:
    """One that is open."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.heartbeats = 0

    def next(self) -> dict[str, object] | None:
        """The next event, whose id is its sequence; None when the site has ended the stream."""
        number = None
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line.startswith(":"):
                self.heartbeats += 1
            elif name == "id":
                number = int(value)
            elif name == "data":
                event: dict[str, object] = json.loads(value)
                assert event["sequence"] == number
                return event
            else:
                assert line == "", line
        return None

    def rest(self) -> list[dict[str, object]]:
        """All that comes until the site ends it."""
        return list(iter(self.next, None))

    def heartbeat(self) -> None:
        """Returns when one comes; nothing else may."""
        assert next(self._lines).startswith(":")


@contextmanager
def followed(client: httpx.Client, path: str, last: object = None) -> Iterator[EventStream]:
    """The stream at `path`, from behind the event `last`; closed at the end."""
    headers = ACCEPT | ({"Last-Event-ID": str(last)} if last is not None else {})
    with client.stream("GET", path, headers=headers, timeout=WITHIN) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield EventStream(answer)
