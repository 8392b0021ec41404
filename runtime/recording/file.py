"""The file of one recording: one writer at a time, whole batches only, resumed where the last one ended."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from runtime.recording.asciicast import Cast, Position, header, position_of

BLOCK = 1 << 16
PIECE = 1 << 18
LONGEST_LINE = 1 << 23
"""Bytes; one frame of output, each byte escaped, is less than a tenth of it."""


class Taken(Exception):
    """Another process writes this file."""


class RecordingFile:
    """Use as a context manager. Raises Taken, OSError. The lock is the kernel's: it goes with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        self.size = 0
        """Bytes, all of them of whole batches."""
        self.position: Position | None = None
        """How far it goes; None: there is nothing in it yet."""

    def __enter__(self) -> Self:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._resume()
        except BlockingIOError:
            self._close()
            raise Taken from None
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def begin(self, cols: int, rows: int, at_ms: int, title: str) -> Position:
        """Writes the header of a file in which there is nothing."""
        position = Position(at_ms=at_ms, cols=cols, rows=rows)
        self._write(header(cols, rows, at_ms, title) + position.comment())
        self.position = position
        return position

    def append(self, cast: Cast) -> None:
        """Writes all that `cast` has. After an OSError open the file anew: it may end in the middle of a line."""
        position = cast.position
        self._write(cast.batch())
        self.position = position

    def rewind(self, offset: int) -> None:
        """Takes back all behind the last batch that does not go beyond that offset of the terminal's output."""
        size, position = self.size, self.position
        while position is not None and position.offset > offset:
            size, position = _last_position(self._fd, size - 1)
        self._cut(size, position)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        self.size += len(data)

    def _resume(self) -> None:
        # What is behind was written by somebody who was killed: what the terminal still has is written again.
        self._cut(*_last_position(self._fd, os.fstat(self._fd).st_size))

    def _cut(self, size: int, position: Position | None) -> None:
        os.ftruncate(self._fd, size)
        os.lseek(self._fd, size, os.SEEK_SET)
        self.size, self.position = size, position

    def _close(self) -> None:
        os.close(self._fd)


def _last_position(fd: int, size: int) -> tuple[int, Position | None]:
    """Where the last whole batch ends, and what it says; (0, None) when there is none."""
    tail, begin = b"", size
    while begin:
        step = min(BLOCK, begin)
        begin -= step
        tail = os.pread(fd, step, begin) + tail
        end = tail.rfind(b"\n")
        while end >= 0:
            start = tail.rfind(b"\n", 0, end)
            if start < 0 and begin:
                break
            position = position_of(tail[start + 1 : end])
            if position is not None:
                return begin + end + 1, position
            end = start
        if len(tail) > LONGEST_LINE:
            break
    return 0, None


def whole_bytes(path: Path) -> int:
    """So many bytes are of whole batches: they stay as they are, also while somebody writes on. Raises OSError."""
    with path.open("rb") as file:
        return _last_position(file.fileno(), os.fstat(file.fileno()).st_size)[0]


def pieces(path: Path, begin: int, end: int) -> Iterator[bytes]:
    """The bytes from `begin` to `end`, a few at a time. Raises OSError."""
    with path.open("rb") as file:
        file.seek(begin)
        while begin < end and (piece := file.read(min(PIECE, end - begin))):
            begin += len(piece)
            yield piece


def lines(path: Path) -> Iterator[bytes]:
    """The lines of whole batches, also while somebody writes on. Raises OSError."""
    with path.open("rb") as file:
        pending: list[bytes] = []
        for line in file:
            pending.append(line)
            if line.endswith(b"\n") and position_of(line[:-1]) is not None:
                yield from pending
                pending.clear()
