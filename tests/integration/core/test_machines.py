"""Terminals, commands and files inside a session."""

from collections.abc import AsyncIterator

import pytest

from playground.accounts.models import User
from playground.database import in_database
from playground.sessions import machines, services
from playground.sessions.dialogue import talk
from playground.sessions.errors import InvalidRequest, MachineUnknown, SessionNotRunning
from playground.sessions.machines import ExecEnd, ExecOutput, ExecRequest
from playground.sessions.models import Machine, Session, Terminal
from playground.sessions.states import Reason
from runtime.errors import Busy, CommandNotFound, FileUnknown, TerminalUnknown
from tests.integration.core.stories import ended, history, load, running
from tests.support.hooked_engine import HookedEngine

pytestmark = pytest.mark.usefixtures("image", "profile")


@pytest.fixture
async def session(engine: HookedEngine, ann: User) -> AsyncIterator[Session]:
    """Running, with a variable of its own."""
    session = await running(ann, environment={"COURSE": "c1"})
    yield session
    await ended(session.pk)


async def test_terminals(session: Session) -> None:
    terminal = await machines.open_terminal(session, command=["/bin/sleep", "600"], cols=100, rows=30)
    shell = await machines.open_terminal(session, name="second")
    assert (terminal.name, shell.name, terminal.is_main) == ("sleep", "second", False)
    assert await Terminal.objects.filter(machine__session=session).acount() == 3
    for _ in range(2):
        await machines.close_terminal(session, terminal)
    assert not await Terminal.objects.filter(pk=terminal.pk).aexists()
    assert (await history(session.pk))[-3:] == ["terminal_opened", "terminal_opened", "terminal_closed"]


async def test_no_more_terminals_than_a_machine_may_have(session: Session) -> None:
    """Whatever its sandboxd says: here it would open another one."""
    machine = await Machine.objects.aget(session=session)
    many = [Terminal(machine=machine, name="many") for _ in range(machines.MOST_TERMINALS - 2)]
    await Terminal.objects.abulk_create(many)
    last = await machines.open_terminal(session)
    for _ in range(2):
        with pytest.raises(Busy, match="Close some"):
            await machines.open_terminal(session)
    async with talk(machine.pk) as client:
        assert len(await client.terminals()) == 2, "what was refused runs"
    await machines.close_terminal(session, last)
    assert (await machines.open_terminal(session)).name == "sh"


async def test_a_terminal_that_can_not_be_opened(session: Session) -> None:
    before = await Terminal.objects.acount()
    with pytest.raises(CommandNotFound):
        await machines.open_terminal(session, command=["/missing/program"])
    with pytest.raises(MachineUnknown):
        await machines.open_terminal(session, machine="second")
    with pytest.raises(InvalidRequest):
        await machines.open_terminal(session, cwd="relative")
    assert await Terminal.objects.acount() == before


async def test_a_terminal_row_that_can_not_be_written(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody would know of is closed again."""
    opened: list[str] = []

    def fail(session: Session, terminal: Terminal) -> None:
        opened.append(terminal.pk.hex)
        raise RuntimeError("the database is away")

    monkeypatch.setattr(machines, "_keep", fail)
    with pytest.raises(RuntimeError):
        await machines.open_terminal(session)
    machine = await session.machines.aget()
    async with talk(machine.pk) as client:
        assert opened[0] not in {terminal.terminal_id for terminal in await client.terminals()}
        with pytest.raises(TerminalUnknown):
            await client.close_terminal(opened[0])


async def test_execute(session: Session) -> None:
    request = ExecRequest(
        ["/bin/sh", "-c", "cat; echo $COURSE $OWN >&2; exit 3"], environment={"OWN": "x"}, stdin=b"in"
    )
    result = await machines.execute(session, request)
    assert (result.stdout, result.stderr, result.exit_code, result.signal) == (b"in", b"c1 x\n", 3, 0)
    assert not result.timed_out


async def test_execute_within_limits(session: Session) -> None:
    result = await machines.execute(session, ExecRequest(["/bin/sh", "-c", "sleep 60"], timeout_seconds=1))
    assert result.timed_out
    result = await machines.execute(session, ExecRequest(["/usr/bin/seq", "100000"], limit_bytes=1000))
    assert len(result.stdout) == 1000
    assert result.stdout_truncated
    assert not result.stderr_truncated


async def test_execute_stream(session: Session) -> None:
    events = [event async for event in machines.execute_stream(session, ExecRequest(["/bin/echo", "a"]))]
    assert events[0] == ExecOutput("stdout", b"a\n")
    assert isinstance(events[-1], ExecEnd)
    assert events[-1].exit_code == 0


async def test_files(session: Session) -> None:
    home = (await machines.execute(session, ExecRequest(["/bin/sh", "-c", "printf %s $HOME"]))).stdout.decode()
    path = f"{home}/a/b/file"

    async def content() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        yield b"end"

    await machines.write_file(session, path, content())
    read = b"".join([piece async for piece in machines.read_file(session, path)])
    assert read == b"x" * 100_000 + b"end"
    (entry,) = await machines.list_files(session, f"{home}/a/b")
    assert (entry.name, entry.kind, entry.size_bytes) == ("file", "file", 100_003)
    await machines.make_directory(session, f"{home}/a/c")
    await machines.delete_file(session, f"{home}/a")
    with pytest.raises(FileUnknown):
        _ = [piece async for piece in machines.read_file(session, path)]


async def test_nothing_is_done_in_a_session_that_ends(session: Session) -> None:
    await in_database(services.stop)(session, Reason.USER)
    session = await load(session.pk)
    with pytest.raises(SessionNotRunning):
        await machines.execute(session, ExecRequest(["/bin/true"]))
    with pytest.raises(SessionNotRunning):
        await machines.open_terminal(session)
    with pytest.raises(SessionNotRunning):
        await machines.list_files(session, "/")
