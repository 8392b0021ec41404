"""Keystroke echo: from the byte leaving a client until the shell's echo of it arrives. Blocking: run it in a thread."""

import itertools
import selectors
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.raw_socket import RawLink, read_until

LINE = 60
KEYS = b"0123456789"
"""What no wrapping of either side is written with."""
CTRL_C = b"\x03"
_settled = itertools.count()
_QUOTES = b' "]'
"""What follows a prompt in terminado's JSON."""


def settle(link: RawLink) -> None:
    """Waits until the shell answers, so that what follows measures it and not its start.

    Each time it is asked for another word: the last one's comes again with what a terminal replays.
    """
    number = next(_settled)
    link.send(b"echo set''tled-%d.\n" % number)
    read_until(link, b"settled-%d." % number)
    _clear_line(link)


def type_keys(link: RawLink, count: int) -> list[float]:
    """Types `count` keys, one after the other's echo, and leaves the line empty; the milliseconds of each."""
    keys = itertools.cycle(KEYS)
    values = []
    for index in range(count):
        if index and index % LINE == 0:
            _clear_line(link)
        values.append(_one_key(link, bytes([next(keys)])))
    _clear_line(link)
    return values


def _one_key(link: RawLink, key: bytes) -> float:
    start = time.perf_counter()
    link.send(key)
    while key not in link.read():
        pass
    return (time.perf_counter() - start) * 1000


def _clear_line(link: RawLink) -> None:
    link.send(CTRL_C)
    seen = b""
    while not _is_prompt(seen):
        seen += link.read()


def _is_prompt(seen: bytes) -> bool:
    return b"^C" in seen and seen.rstrip(_QUOTES).endswith((b"#", b"$"))


@dataclass(slots=True)
class _Person:
    """Somebody at a terminal: types a key, sees it, rests."""

    link: RawLink
    due: float
    left: int
    keys: Iterator[int] = field(default_factory=lambda: itertools.cycle(KEYS))
    awaited: bytes = b""
    """The key whose echo has not come, or Ctrl-C while the prompt has not."""
    seen: bytes = b""
    typed_at: float = 0.0
    on_line: int = 0
    values: list[float] = field(default_factory=list)

    def type(self, now: float) -> None:
        self.awaited = bytes([next(self.keys)]) if self.on_line < LINE else CTRL_C
        self.seen, self.typed_at = b"", now
        self.link.send(self.awaited)

    def read(self, pause: float) -> None:
        self.seen += self.link.read()
        while not self.link.idle:
            self.seen += self.link.read()
        if self.awaited == CTRL_C:
            if not _is_prompt(self.seen):
                return
            self.on_line = 0
        elif not self.awaited or self.awaited not in self.seen:
            return
        else:
            self.values.append((time.perf_counter() - self.typed_at) * 1000)
            self.left -= 1
            self.on_line += 1
        self.awaited, self.due = b"", self.typed_at + pause


def type_together(links: Sequence[RawLink], count: int, pause: float) -> list[float]:
    """All type `count` keys, `pause` seconds between the keys of each, out of step with the others."""
    start = time.perf_counter()
    people = [_Person(link, start + pause * index / len(links), count) for index, link in enumerate(links)]
    with selectors.DefaultSelector() as selector:
        for person in people:
            selector.register(person.link.fileno(), selectors.EVENT_READ, person)
        while busy := [person for person in people if person.left]:
            now = time.perf_counter()
            for person in busy:
                if not person.awaited and person.due <= now:
                    person.type(time.perf_counter())
            due = min((person.due for person in busy if not person.awaited), default=now + 1)
            for event, _ in selector.select(max(0.0, due - time.perf_counter())):
                event.data.read(pause)
    return [value for person in people for value in person.values]
