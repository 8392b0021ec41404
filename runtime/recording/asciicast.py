"""A terminal's output as asciicast v3 (https://docs.asciinema.org/manual/asciicast/v3/), without any I/O.

A file is a header and batches of events. Each batch ends with a comment that says how far the terminal has been
recorded: what is behind the last complete one of these is no part of the recording, so a writer that was killed goes on
from there, and bytes are neither lost nor doubled. Players skip comments.
"""

import codecs
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

TERM = "xterm-256color"
IDLE_SECONDS = 2.0
"""Longer pauses are played as if they were so long; the file keeps the real ones."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a terminal has been recorded."""

    offset: int = 0
    """Of the first byte of output that is not in the file."""
    at_ms: int = 0
    """When the last event was, on the wall clock."""
    elapsed_ms: int = 0
    """How long the recording lasts so far."""
    cols: int = 80
    rows: int = 24
    missing: int = 0
    """Bytes of output that were lost before they could be recorded."""
    end: str = ""
    """Why nothing more follows; empty while something may."""
    played_ms: int = 0
    """How long it lasts with every pause cut to IDLE_SECONDS."""

    def comment(self) -> bytes:
        """The line that ends a batch."""
        values = [
            self.offset,
            self.at_ms,
            self.elapsed_ms,
            self.cols,
            self.rows,
            self.missing,
            self.end,
            self.played_ms,
        ]
        return b"# position " + json.dumps(values).encode() + b"\n"


def position_of(line: bytes) -> Position | None:
    """What a whole line says, without its end; None when it ends no batch."""
    if not line.startswith(b"# position "):
        return None
    try:
        *numbers, end, played_ms = json.loads(line.removeprefix(b"# position "))
        if not isinstance(end, str):
            # The oldest files do not say how long they play.
            numbers, end, played_ms = [*numbers, end], played_ms, 0
        if len(numbers) != 6 or not all(type(number) is int and number >= 0 for number in [*numbers, played_ms]):
            return None
        offset, at_ms, elapsed_ms, cols, rows, missing = numbers
        return Position(offset, at_ms, elapsed_ms, cols, rows, missing, str(end), played_ms)
    except (ValueError, TypeError):
        return None


def header(cols: int, rows: int, at_ms: int, title: str) -> bytes:
    """The first line."""
    content = {
        "version": 3,
        "term": {"cols": cols, "rows": rows, "type": TERM},
        "timestamp": at_ms // 1000,
        "idle_time_limit": IDLE_SECONDS,
        "title": title,
    }
    return _line(content)


class Cast:
    """Makes batches of events. What was output is text in the file: invalid UTF-8 becomes U+FFFD, as terminals show it,
    and a character whose end has not come yet waits, and is not counted in the position, until it has.
    """

    def __init__(self, position: Position) -> None:
        self.position = position
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._events: list[bytes] = []

    @property
    def received(self) -> int:
        """Offset of the next byte of output to be given to it."""
        return self.position.offset + self._held()

    def output(self, data: bytes | memoryview, at_ms: int) -> None:
        """The next bytes of the terminal."""
        before = self._held()
        text = self._decoder.decode(bytes(data))
        read = before + len(data) - self._held()
        self.position = replace(self.position, offset=self.position.offset + read)
        if text:
            self._event("o", text, at_ms)

    def resize(self, cols: int, rows: int, at_ms: int) -> None:
        """The terminal's size, if it is another one than before."""
        if (cols, rows) != (self.position.cols, self.position.rows):
            self._event("r", f"{cols}x{rows}", at_ms)
            self.position = replace(self.position, cols=cols, rows=rows)

    def gap(self, to: int, at_ms: int) -> None:
        """Output before the offset `to` is lost."""
        missing = to - self.position.offset
        self._decoder.reset()
        self._event("m", f"Gap: {missing} bytes are missing here", at_ms)
        self.position = replace(self.position, offset=to, missing=self.position.missing + missing)

    def restore(self, data: bytes | memoryview, at_ms: int) -> None:
        """What makes a terminal ready for the output behind a gap; no output itself."""
        self._event("o", bytes(data).decode("utf-8", "replace"), at_ms)

    def mark(self, words: str, at_ms: int) -> None:
        """A remark that players show."""
        self._event("m", words, at_ms)

    def finish(self, reason: str, at_ms: int, exit_status: int | None = None) -> None:
        """Nothing more follows."""
        held = self._held()
        rest = self._decoder.decode(b"", final=True)
        self.position = replace(self.position, offset=self.position.offset + held)
        if rest:
            self._event("o", rest, at_ms)
        if exit_status is not None:
            self._event("x", str(exit_status), at_ms)
        self.position = replace(self.position, end=reason)

    def batch(self) -> bytes:
        """All events since the last batch and the position behind them."""
        lines = b"".join([*self._events, self.position.comment()])
        self._events.clear()
        return lines

    def _held(self) -> int:
        return len(self._decoder.getstate()[0])

    def _event(self, code: str, data: str, at_ms: int) -> None:
        # A clock that was put back makes no time negative.
        at_ms = max(at_ms, self.position.at_ms)
        waited = at_ms - self.position.at_ms
        self._events.append(_line([waited / 1000, code, data]))
        played = min(waited, round(IDLE_SECONDS * 1000))
        self.position = replace(
            self.position,
            at_ms=at_ms,
            elapsed_ms=self.position.elapsed_ms + waited,
            played_ms=self.position.played_ms + played,
        )


def as_version_2(lines: Iterable[bytes]) -> Iterable[bytes]:
    """The lines of a file as asciicast v2, for players that know no other: times count from the beginning."""
    elapsed_ms = 0
    for number, line in enumerate(lines):
        if number == 0:
            yield _header_2(json.loads(line))
        elif line.startswith(b"["):
            waited, code, data = json.loads(line)
            elapsed_ms += round(waited * 1000)
            # A process's end is no event of version 2.
            if code != "x":
                yield _line([elapsed_ms / 1000, code, data])


def _header_2(content: dict[str, object]) -> bytes:
    term = content["term"]
    assert isinstance(term, dict)
    return _line(
        {
            "version": 2,
            "width": term["cols"],
            "height": term["rows"],
            "timestamp": content["timestamp"],
            "idle_time_limit": content["idle_time_limit"],
            "title": content["title"],
            "env": {"TERM": term["type"]},
        }
    )


def _line(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(", ", ": ")).encode() + b"\n"
