"""Terminals, commands and files of a machine, through `dial` alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from runtime.engines.base import Stream
from runtime.errors import (
    BadDirectory,
    CommandNotExecutable,
    CommandNotFound,
    FileUnknown,
    MachineGone,
    MachineUnreachable,
    NotADirectory,
    NotAFile,
    TerminalUnknown,
)
from runtime.terminal import execution, files
from runtime.terminal.answers import ExitFlag
from tests.support.engine import Case
from tests.support.machine_terminal import attached, run, talking
from tests.support.waiting import WITHIN, until


async def test_a_terminal_outlives_its_clients(case: Case) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            assert await client.open("one", ["/bin/sh"], cols=101, rows=31) > 1
        async with attached(case.engine, machine_id, "one") as terminal:
            assert (terminal.attached.cols, terminal.attached.rows) == (101, 31)
            await terminal.send_line("secret=4$((1+1)); stty size")
            await terminal.expect("31 101")
        async with attached(case.engine, machine_id, "one") as terminal:
            await terminal.expect("31 101")
            await terminal.send_line("echo it is $secret")
            await terminal.expect("it is 42")


async def test_a_terminal_reports_how_it_ended(case: Case) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            await client.open("one", ["/bin/sh", "-c", "echo last words; exit 3"])
        async with attached(case.engine, machine_id, "one") as terminal:
            await terminal.expect("last words")
            while terminal.exit is None:
                await terminal.read()
            assert (terminal.exit.exit_code, terminal.exit.signal) == (3, 0)


async def test_terminals_are_listed_and_closed(case: Case) -> None:
    async with case.machine() as machine_id, talking(case.engine, machine_id) as client:
        await client.open("one", ["/bin/sh"])
        await client.open("two", ["/bin/sh"])
        assert {status.terminal_id for status in await client.terminals()} == {"one", "two"}
        await client.close_terminal("one")

        async def is_forgotten() -> bool:
            return [status.terminal_id for status in await client.terminals()] == ["two"]

        await until(is_forgotten, "the closed terminal is forgotten")
        with pytest.raises(TerminalUnknown):
            await client.close_terminal("one")


@pytest.mark.parametrize(
    ("command", "directory", "error"),
    [
        (["no-such-command"], None, CommandNotFound),
        (["/etc/passwd"], None, CommandNotExecutable),
        (["/bin/sh"], "/no/such/directory", BadDirectory),
    ],
)
async def test_what_cannot_be_started_says_why(
    case: Case, command: list[str], directory: str | None, error: type[Exception]
) -> None:
    async with case.machine() as machine_id, talking(case.engine, machine_id) as client:
        with pytest.raises(error):
            await client.open("one", command, directory=directory)
        assert await client.terminals() == []
        with pytest.raises(error):
            await client.execute(command, directory=directory)


async def test_a_command_has_its_streams_and_its_status(case: Case) -> None:
    async with case.machine() as machine_id:
        outcome = await run(case.engine, machine_id, "sh", "-c", "cat; echo err >&2; exit 5", stdin=b"given")
        assert (outcome.status.exit_code, outcome.stdout, outcome.stderr) == (5, b"given", b"err\n")
        outcome = await run(case.engine, machine_id, "sh", "-c", "kill -TERM $$")
        assert (outcome.status.exit_code, outcome.status.signal) == (-1, 15)


async def test_a_command_that_takes_too_long_is_ended(case: Case) -> None:
    async with case.machine() as machine_id:
        outcome = await run(case.engine, machine_id, "sleep", "60", timeout_ms=300)
        assert ExitFlag.TIMED_OUT in outcome.status.flags


async def test_much_goes_through_unchanged_both_ways(case: Case) -> None:
    sent = bytes(range(256)) * 8192
    async with case.machine() as machine_id:
        outcome = await run(case.engine, machine_id, "cat", stdin=sent)
        assert outcome.stdout == sent


async def test_a_command_ends_with_its_connection(case: Case) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            await client.execute(["sh", "-c", "echo $$; exec sleep 3600"])
            async with aclosing(execution.run(client)) as events:
                first = await anext(events)
                assert isinstance(first, execution.Chunk)
                pid = first.data.decode().strip()

        async def is_ended() -> bool:
            return (await run(case.engine, machine_id, "kill", "-0", pid)).status.exit_code != 0

        await until(is_ended, "the abandoned command has ended")


async def test_many_connections_at_once(case: Case) -> None:
    async with case.machine() as machine_id:
        outcomes = await asyncio.gather(
            *(run(case.engine, machine_id, "sh", "-c", f"echo {number}") for number in range(20))
        )
        assert [outcome.stdout for outcome in outcomes] == [f"{number}\n".encode() for number in range(20)]


async def test_files(case: Case) -> None:
    content = b"\0\xff" * 100_000

    async def pieces() -> AsyncIterator[bytes]:
        yield content[:70_001]
        yield content[70_001:]

    async with case.machine() as machine_id:
        place = f"/tmp/{machine_id}"
        async with talking(case.engine, machine_id) as client:
            await files.make_directory(client, f"{place}/deep/er")
        async with talking(case.engine, machine_id) as client:
            await files.write(client, f"{place}/a b\n'", pieces())
        async with talking(case.engine, machine_id) as client:
            assert b"".join([data async for data in files.read(client, f"{place}/a b\n'")]) == content
        async with talking(case.engine, machine_id) as client:
            found = [(entry.name, entry.kind) for entry in await files.entries(client, place)]
            assert found == [("a b\n'", "file"), ("deep", "directory")]
        async with talking(case.engine, machine_id) as client:
            await files.delete(client, place)
        async with talking(case.engine, machine_id) as client:
            with pytest.raises(FileUnknown):
                await files.entries(client, place)


@pytest.mark.parametrize(
    ("path", "error"), [("/no/such", FileUnknown), ("/tmp", NotAFile), ("/etc/passwd/x", NotADirectory)]
)
async def test_files_that_cannot_be_read_say_why(case: Case, path: str, error: type[Exception]) -> None:
    async with case.machine() as machine_id, talking(case.engine, machine_id) as client:
        with pytest.raises(error):
            [_ async for _ in files.read(client, path)]


async def test_an_ended_machine_ends_its_streams(case: Case) -> None:
    async with case.machine() as machine_id:
        stream = await case.engine.dial(machine_id)
        try:
            assert await stream.read(1) != b""
            await case.engine.remove(machine_id)
            async with asyncio.timeout(WITHIN):
                while await stream.read(1 << 16):
                    pass
                assert await stream.read(1) == b""
        finally:
            await stream.close()
            await stream.close()
        with pytest.raises(MachineGone):
            await case.engine.dial(machine_id)


async def test_writing_to_an_ended_machine_is_an_error(case: Case) -> None:
    async with case.machine() as machine_id:
        stream = await case.engine.dial(machine_id)
        try:
            await case.engine.remove(machine_id)
            with pytest.raises(MachineUnreachable):
                await _write_on(stream)
        finally:
            await stream.close()


async def _write_on(stream: Stream) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            await stream.write(bytes(4096))
            await asyncio.sleep(0.01)
