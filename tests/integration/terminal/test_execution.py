"""Commands of a machine, when the caller or the machine does not do its part."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from runtime.errors import FileFailed, MachineUnreachable, ProtocolViolation
from runtime.terminal import execution, files
from runtime.terminal.answers import ExitFlag, ExitStatus
from runtime.terminal.client import SandboxdClient
from runtime.terminal.execution import Chunk
from runtime.terminal.fields import Tag, encode_fields
from runtime.terminal.frames import FrameType, encode_frame
from tests.integration.terminal.conftest import Place
from tests.support.liar import HELLO, Says, lying
from tests.support.machine_terminal import run, talking

STARTED = HELLO + encode_frame(FrameType.OK, encode_fields([(Tag.PID, 7)]))
DONE = encode_frame(FrameType.EXIT, encode_fields([(Tag.EXIT_CODE, 0), (Tag.SIGNAL, 0)]))


class SourceFailed(Exception):
    pass


@asynccontextmanager
async def liar_running(
    says: Says, *, limit_bytes: int | None = None, timeout_ms: int = 0
) -> AsyncIterator[SandboxdClient]:
    """A client whose command runs in a machine that says what `says` says."""
    with tempfile.TemporaryDirectory() as directory:
        async with lying(Path(directory) / "sock", says) as liar, SandboxdClient(await liar.dial("")) as client:
            await client.execute(["true"], limit_bytes=limit_bytes, timeout_ms=timeout_ms)
            yield client


def _saying(data: bytes) -> Says:
    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return says


async def _output(client: SandboxdClient) -> int:
    async with aclosing(execution.run(client)) as events:
        return sum([len(event.data) async for event in events if isinstance(event, Chunk)])


async def test_the_limit_cuts_each_stream(place: Place) -> None:
    async with talking(place.case.engine, place.machine_id) as client:
        await client.execute(["sh", "-c", "head -c 5000 /dev/zero; head -c 10 /dev/zero >&2"], limit_bytes=1000)
        async with aclosing(execution.run(client)) as events:
            seen = [event async for event in events]
    sizes = {"stdout": 0, "stderr": 0}
    for event in seen[:-1]:
        assert isinstance(event, Chunk)
        sizes[event.stream] += len(event.data)
    assert sizes == {"stdout": 1000, "stderr": 10}
    assert isinstance(seen[-1], ExitStatus)
    assert seen[-1].flags == ExitFlag.STDOUT_TRUNCATED


async def test_more_than_the_limit_is_a_lie() -> None:
    chunk = encode_frame(FrameType.STDOUT, bytes(600))
    async with liar_running(_saying(STARTED + chunk + DONE), limit_bytes=600) as client:
        assert await _output(client) == 600
    async with liar_running(_saying(STARTED + chunk * 2 + DONE), limit_bytes=600) as client:
        with pytest.raises(ProtocolViolation):
            await _output(client)


async def test_a_command_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "PATIENCE_SECONDS", 0.1)
    async with liar_running(_saying(STARTED), timeout_ms=100) as client:
        with pytest.raises(MachineUnreachable):
            await asyncio.wait_for(_output(client), 60)


@pytest.mark.parametrize("frame", [FrameType.OUTPUT, FrameType.GAP, FrameType.OK, FrameType.HELLO])
async def test_other_frames_are_a_lie(frame: FrameType) -> None:
    async with liar_running(_saying(STARTED + encode_frame(frame, bytes(17)))) as client:
        with pytest.raises(ProtocolViolation):
            await _output(client)


async def test_a_source_that_fails_leaves_the_file_as_it_was(place: Place) -> None:
    path = f"/tmp/{place.machine_id}"

    async def breaks() -> AsyncIterator[bytes]:
        yield b"half of it"
        raise SourceFailed

    engine, machine_id = place.case.engine, place.machine_id
    try:
        await run(engine, machine_id, "sh", "-c", f"echo before > {path}")
        async with talking(engine, machine_id) as client:
            with pytest.raises(SourceFailed):
                await files.write(client, path, breaks())
        assert (await run(engine, machine_id, "cat", path)).stdout == b"before\n"
    finally:
        await run(engine, machine_id, "rm", "-f", path)


async def test_leaving_early_kills_the_command(place: Place) -> None:
    engine, machine_id = place.case.engine, place.machine_id
    async with talking(engine, machine_id) as client:
        await client.execute(["yes"])
        async with aclosing(execution.run(client)) as events:
            async for _ in events:
                break
    assert (await run(engine, machine_id, "true")).status.exit_code == 0


@pytest.mark.parametrize(
    "listing",
    [b"f 0644 1 1.0 0 0\0name\0", b"f 0644 x 1.0 0 0\0name\0\0", b"f\0name\0\0", b"\xff\0name\0\0", b"no end"],
)
async def test_a_listing_that_makes_no_sense_is_a_lie(listing: bytes) -> None:
    says = _saying(STARTED + encode_frame(FrameType.STDOUT, listing) + DONE)
    with tempfile.TemporaryDirectory() as directory:
        async with lying(Path(directory) / "sock", says) as liar, SandboxdClient(await liar.dial("")) as client:
            with pytest.raises(ProtocolViolation):
                await files.entries(client, "/")


async def test_a_listing_without_end_is_refused() -> None:
    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STARTED)
        while True:
            writer.write(encode_frame(FrameType.STDOUT, bytes(65_536)))
            await writer.drain()

    with tempfile.TemporaryDirectory() as directory:
        async with lying(Path(directory) / "sock", says) as liar, SandboxdClient(await liar.dial("")) as client:
            with pytest.raises(FileFailed):
                await files.entries(client, "/")
