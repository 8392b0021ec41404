"""Files of a machine, through `sandboxd fs`: with the rights of the machine's user, and with no tool of the image."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from runtime.errors import (
    FileFailed,
    FileForbidden,
    FileUnknown,
    NoSpace,
    NotADirectory,
    NotAFile,
    ProtocolViolation,
    RuntimeFailure,
)
from runtime.terminal.answers import ExitStatus
from runtime.terminal.client import SandboxdClient
from runtime.terminal.execution import run

FileKind = Literal["file", "directory", "symlink", "other"]
TIMEOUT_MS = 600_000
LIST_LIMIT = 8 << 20
"""Bytes of a directory's listing: more is refused, not cut."""

_KINDS: dict[str, FileKind] = {"f": "file", "d": "directory", "l": "symlink"}
_FAILURES: dict[int, tuple[type[FileFailed], str]] = {
    10: (FileUnknown, "There is no such file or directory."),
    11: (FileForbidden, "The machine's user may not do that."),
    12: (NotAFile, "That is not a regular file."),
    13: (NotADirectory, "That is not a directory."),
    14: (NoSpace, "There is no space left in the machine."),
}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One entry of a directory. `modified` is seconds since 1970."""

    name: str
    kind: FileKind
    mode: int
    size_bytes: int
    modified: float
    target: str
    """Of a symbolic link."""


async def read(client: SandboxdClient, path: str) -> AsyncGenerator[bytes, None]:
    """The bytes of a regular file. Raises FileFailed before the first piece, when it is that."""
    async with aclosing(_operate(client, "read", path)) as pieces:
        async for data in pieces:
            yield data


async def write(client: SandboxdClient, path: str, content: AsyncIterator[bytes]) -> None:
    """Replaces the file at once, when `content` has ended; when that raises, the file stays as it was."""
    await _finish(client, "write", path, stdin=content)


async def entries(client: SandboxdClient, path: str) -> list[FileEntry]:
    """What is in a directory, by name."""
    listing = bytearray()
    async with aclosing(_operate(client, "list", path)) as pieces:
        async for data in pieces:
            listing += data
            if len(listing) > LIST_LIMIT:
                raise FileFailed("There are too many files in this directory to list them.")
    return sorted(_records(bytes(listing)), key=lambda entry: entry.name)


async def delete(client: SandboxdClient, path: str) -> None:
    """A file, or a directory with all in it."""
    await _finish(client, "delete", "-r", path)


async def make_directory(client: SandboxdClient, path: str) -> None:
    """The directory and those on the way; one that is there is success."""
    await _finish(client, "mkdir", path)


async def _operate(
    client: SandboxdClient, *words: str, stdin: AsyncIterator[bytes] | None = None
) -> AsyncGenerator[bytes, None]:
    await client.execute(["fs", *words], timeout_ms=TIMEOUT_MS, own=True)
    async with aclosing(run(client, stdin)) as events:
        async for event in events:
            if isinstance(event, ExitStatus):
                _check(event)
            elif event.stream == "stdout":
                yield event.data


async def _finish(client: SandboxdClient, *words: str, stdin: AsyncIterator[bytes] | None = None) -> None:
    async with aclosing(_operate(client, *words, stdin=stdin)) as pieces:
        async for _ in pieces:
            raise ProtocolViolation("The machine answered where nothing was asked.")


def _check(status: ExitStatus) -> None:
    if status.exit_code != 0:
        kind, words = _FAILURES.get(status.exit_code, (FileFailed, "The machine could not do that."))
        failure: RuntimeFailure = kind(words)
        raise failure


def _records(listing: bytes) -> list[FileEntry]:
    parts = listing.split(b"\0")
    if parts.pop() or len(parts) % 3:
        raise ProtocolViolation("The machine's listing is cut off.")
    return [_entry(*parts[at : at + 3]) for at in range(0, len(parts), 3)]


def _entry(facts: bytes, name: bytes, target: bytes) -> FileEntry:
    try:
        kind, mode, size, modified, _, _ = facts.decode("ascii").split(" ")
        return FileEntry(
            name=name.decode("utf-8", "replace"),
            kind=_KINDS.get(kind, "other"),
            mode=int(mode, 8),
            size_bytes=int(size),
            modified=float(modified),
            target=target.decode("utf-8", "replace"),
        )
    except ValueError as error:
        raise ProtocolViolation("The machine's listing makes no sense.") from error
