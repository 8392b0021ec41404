"""What a terminal's process is doing, read from the machine's own /proc: with no tool of the image, and not trusted."""

import contextlib
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from runtime.errors import FileFailed
from runtime.terminal import files
from runtime.terminal.client import SandboxdClient

MOST_BYTES = 4096
"""Of a file in /proc that is looked at, and of a directory's path."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """The process groups of one process: its own, and the one in the foreground of its terminal (-1: none)."""

    group: int
    foreground: int


async def status(client: SandboxdClient, pid: int) -> ProcessStatus | None:
    """None when there is no such process, or nothing that makes sense about it. Uses the connection up."""
    return parse_status(await _read(client, f"/proc/{pid}/stat"))


async def name(client: SandboxdClient, pid: int) -> str | None:
    """What the process calls itself, at most 15 bytes of it. Uses the connection up."""
    return printable((await _read(client, f"/proc/{pid}/comm")).decode("utf-8", "replace")) or None


async def directory(client: SandboxdClient, pid: int) -> str | None:
    """Where the process works: an absolute path, or None when that can't be known. Uses the connection up."""
    with contextlib.suppress(FileFailed):
        return parse_directory(await files.entries(client, f"/proc/{pid}"))
    return None


def parse_status(stat: bytes) -> ProcessStatus | None:
    """Of `/proc/PID/stat`. The name in it is the process's own choice, and may hold spaces and parentheses."""
    fields = stat[stat.rfind(b")") + 1 :].split()
    try:
        return ProcessStatus(group=int(fields[2]), foreground=int(fields[5]))
    except (IndexError, ValueError):
        return None


def parse_directory(entries: Sequence[files.FileEntry]) -> str | None:
    """Where the link `cwd` among these leads. A directory that was removed is none."""
    target = next((entry.target for entry in entries if entry.name == "cwd"), "")
    if not target.startswith("/") or len(target) > MOST_BYTES or target.endswith(" (deleted)"):
        return None
    # A path that would not arrive as it is would name another directory.
    return target if printable(target) == target and "\ufffd" not in target else None


def printable(text: str) -> str:
    """Without control characters, line ends and what turns the direction of text."""
    return "".join(character for character in text if character.isprintable()).strip()


async def _read(client: SandboxdClient, path: str) -> bytes:
    content = b""
    with contextlib.suppress(FileFailed):
        async with aclosing(files.read(client, path)) as pieces:
            async for data in pieces:
                content += data
                if len(content) > MOST_BYTES:
                    break
    return content[:MOST_BYTES]
