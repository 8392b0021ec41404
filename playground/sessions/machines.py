"""What a session's owner does inside its machines. Whoever calls has been through `access`; all are coroutines.

Each raises SessionNotRunning, SessionPaused or MachineUnknown before it touches anything, and
`runtime.errors.RuntimeFailure` after.
Paths, commands and variables are the caller's, and reach sandboxd as they are: they act inside the machine alone.
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Literal

from django.db import transaction

from playground.database import in_database
from playground.sessions import last_words
from playground.sessions.dialogue import talk
from playground.sessions.errors import MachineUnknown, SessionNotRunning, SessionPaused
from playground.sessions.events import record
from playground.sessions.making import Process, open_process, shells_of
from playground.sessions.models import Machine, Session, Terminal
from playground.sessions.requests import MAIN, check_place, check_process
from playground.sessions.states import MachineState, SessionState
from playground.sessions.transitions import load
from runtime.errors import Busy, MachineUnreachable, TerminalUnknown
from runtime.terminal import files
from runtime.terminal.answers import ExitFlag, ExitStatus
from runtime.terminal.execution import Chunk, run

MOST_TERMINALS = 256
"""Of one machine. sandboxd has as many; what it says is not relied on, since every row is read and told again."""
EXEC_SECONDS = 60
MAX_EXEC_SECONDS = 3600
EXEC_LIMIT = 1 << 20
"""Bytes of standard output, and as many of standard error, that an exec answers."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    exit_code: int
    """-1 when a signal ended it."""
    signal: int
    stdout: bytes
    stderr: bytes
    stdout_truncated: bool
    stderr_truncated: bool
    timed_out: bool
    duration_ms: int


@dataclass(frozen=True, slots=True)
class ExecOutput:
    """A piece of a running command's output."""

    stream: Literal["stdout", "stderr"]
    data: bytes


@dataclass(frozen=True, slots=True)
class ExecEnd:
    """How a streamed command ended; the last of its events."""

    exit_code: int
    signal: int
    stdout_truncated: bool
    stderr_truncated: bool
    timed_out: bool
    duration_ms: int


@dataclass(frozen=True, slots=True)
class FileEntry:
    name: str
    kind: Literal["file", "directory", "symlink", "other"]
    size_bytes: int
    mode: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """A command to run without a terminal."""

    command: Sequence[str]
    machine: str = MAIN
    cwd: str | None = None
    environment: Mapping[str, str] | None = None
    stdin: bytes = b""
    user: str | None = None
    timeout_seconds: int = EXEC_SECONDS
    limit_bytes: int = EXEC_LIMIT


async def open_terminal(
    session: Session,
    *,
    machine: str = MAIN,
    name: str | None = None,
    command: Sequence[str] = (),
    cwd: str | None = None,
    environment: Mapping[str, str] | None = None,
    cols: int = 80,
    rows: int = 24,
) -> Terminal:
    """Opens one more terminal; without a command, with the image's shell or a usual one.

    Raises InvalidRequest, Busy. Nothing is left in the machine then.
    """
    variables = _variables(session, environment)
    check_process(list(command), variables)
    check_place(cwd)
    target = _target(session, machine)
    shells = await in_database(_shells)(target)
    async with talk(target.pk) as client:
        # Should recording be stopped meanwhile, the recorder finds it kept and not recorded, and releases it.
        process = Process(name or "", [command] if command else shells, variables, kept=session.is_recorded)
        terminal = await open_process(client, target, process, cols=cols, rows=rows, directory=cwd)
        try:
            await in_database(_keep)(session, terminal)
        except BaseException:
            # Nobody would know of it.
            await client.close_terminal(terminal.pk.hex)
            raise
    return terminal


async def close_terminal(session: Session, terminal: Terminal) -> None:
    """Hangs up its process and forgets the terminal. Absent is success."""
    target = _target(session, terminal.machine.name)
    if terminal.is_kept:
        await last_words.recorded(target.pk, [terminal.pk.hex])
    with contextlib.suppress(TerminalUnknown):
        async with talk(target.pk) as client:
            await client.close_terminal(terminal.pk.hex)
    await in_database(_forget)(session, terminal)


async def execute(session: Session, request: ExecRequest) -> ExecResult:
    """Runs a command to its end. Raises InvalidRequest."""
    output: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
    async with aclosing(execute_stream(session, request)) as events:
        async for event in events:
            if isinstance(event, ExecEnd):
                return ExecResult(stdout=bytes(output["stdout"]), stderr=bytes(output["stderr"]), **asdict(event))
            output[event.stream] += event.data
    raise MachineUnreachable("The machine went away while the command ran.")


async def execute_stream(session: Session, request: ExecRequest) -> AsyncGenerator[ExecOutput | ExecEnd, None]:
    """Runs a command; its output as it comes, then how it ended. Leaving the iterator kills the command."""
    variables = _variables(session, request.environment)
    check_process(list(request.command), variables)
    check_place(request.cwd, request.user)
    target = _target(session, request.machine)
    async with talk(target.pk) as client:
        await client.execute(
            request.command,
            environment=variables,
            directory=request.cwd,
            user=request.user,
            timeout_ms=min(request.timeout_seconds, MAX_EXEC_SECONDS) * 1000,
            limit_bytes=request.limit_bytes,
        )
        async with aclosing(run(client, _pieces(request.stdin))) as events:
            async for event in events:
                yield ExecOutput(event.stream, event.data) if isinstance(event, Chunk) else _end(event)


async def read_file(session: Session, path: str, *, machine: str = MAIN) -> AsyncGenerator[bytes, None]:
    """The bytes of a file. Raises FileFailed before the first piece, when it is that."""
    target = _target(session, machine)
    async with talk(target.pk) as client, aclosing(files.read(client, path)) as pieces:
        async for data in pieces:
            yield data


async def write_file(session: Session, path: str, content: AsyncIterator[bytes], *, machine: str = MAIN) -> None:
    """Replaces a file by `content`, at once when that has ended, and makes the directories on the way."""
    target = _target(session, machine)
    async with talk(target.pk) as client:
        await files.make_directory(client, str(PurePosixPath(path).parent))
    async with talk(target.pk) as client:
        await files.write(client, path, content)


async def list_files(session: Session, path: str, *, machine: str = MAIN) -> list[FileEntry]:
    """What is in a directory."""
    target = _target(session, machine)
    async with talk(target.pk) as client:
        return [_entry(entry) for entry in await files.entries(client, path)]


async def delete_file(session: Session, path: str, *, machine: str = MAIN) -> None:
    """Deletes a file, or a directory with all in it."""
    target = _target(session, machine)
    async with talk(target.pk) as client:
        await files.delete(client, path)


async def make_directory(session: Session, path: str, *, machine: str = MAIN) -> None:
    """Makes a directory and those on the way; one that is there is success."""
    target = _target(session, machine)
    async with talk(target.pk) as client:
        await files.make_directory(client, path)


def _target(session: Session, name: str) -> Machine:
    """The session's machine of that name. The session comes with its machines, as `access` answers it."""
    if session.state == SessionState.PAUSED:
        raise SessionPaused("The session is paused. Resume it first.")
    if session.state != SessionState.RUNNING:
        raise SessionNotRunning("The session is not running.")
    for machine in session.machines.all():
        if machine.name == name and machine.state == MachineState.READY:
            return machine
    raise MachineUnknown("The session has no machine of that name.")


def _variables(session: Session, more: Mapping[str, str] | None) -> dict[str, str]:
    return {**session.environment, **(more or {})}


def _shells(machine: Machine) -> list[Sequence[str]]:
    return shells_of(machine.image)


def _keep(session: Session, terminal: Terminal) -> None:
    with transaction.atomic():
        if Terminal.objects.filter(machine_id=terminal.machine_id).count() >= MOST_TERMINALS:
            raise Busy("This machine can't have more terminals. Close some.")
        terminal.save(force_insert=True)
        record(load(session.pk), "terminal_opened", {"terminal": str(terminal.pk), "name": terminal.name})


def _forget(session: Session, terminal: Terminal) -> None:
    with transaction.atomic():
        rows, _ = Terminal.objects.filter(pk=terminal.pk).delete()
        if rows:
            record(load(session.pk), "terminal_closed", {"terminal": str(terminal.pk), "name": terminal.name})


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


def _end(status: ExitStatus) -> ExecEnd:
    return ExecEnd(
        exit_code=status.exit_code,
        signal=status.signal,
        stdout_truncated=ExitFlag.STDOUT_TRUNCATED in status.flags,
        stderr_truncated=ExitFlag.STDERR_TRUNCATED in status.flags,
        timed_out=ExitFlag.TIMED_OUT in status.flags,
        duration_ms=status.duration_ms,
    )


def _entry(entry: files.FileEntry) -> FileEntry:
    try:
        modified_at = datetime.fromtimestamp(entry.modified, UTC)
    except (ValueError, OverflowError, OSError):
        # The machine says so, and nothing that it says is trusted to make sense.
        modified_at = datetime.fromtimestamp(0, UTC)
    return FileEntry(entry.name, entry.kind, entry.size_bytes, entry.mode, modified_at)
