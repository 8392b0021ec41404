"""A terminal held straight on sandboxd, and commands run there: without the site, the relay or a browser."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from runtime.engines.base import Engine
from runtime.remote.expecting import Expecting
from runtime.terminal import execution, frames
from runtime.terminal.answers import Attached, ExitStatus, decode_exit
from runtime.terminal.client import SandboxdClient
from runtime.terminal.frames import FrameType
from tests.support.waiting import WITHIN


class MachineTerminal(Expecting):
    """An attachment: what was read is acknowledged at once."""

    def __init__(self, client: SandboxdClient, attached: Attached) -> None:
        super().__init__()
        self.attached = attached
        self.client = client
        self.exit: ExitStatus | None = None

    async def read(self) -> bytes:
        while frame := await self.client.reader.next():
            if frame.type == FrameType.OUTPUT:
                offset, data = frames.decode_output(frame.body)
                await self.client.stream.write(frames.encode_ack(offset + len(data)))
                return bytes(data)
            if frame.type == FrameType.EXIT:
                self.exit = decode_exit(frame.body)
        return b""

    async def expect(self, pattern: str | bytes, within: float = WITHIN) -> re.Match[bytes]:
        """As a program does it, with more patience: the machine that tests run on may be busy."""
        return await super().expect(pattern, within)

    async def send(self, data: bytes) -> None:
        await self.client.stream.write(frames.encode_input(data))

    async def resize(self, cols: int, rows: int) -> None:
        await self.client.stream.write(frames.encode_resize(cols, rows))


@asynccontextmanager
async def talking(engine: Engine, machine_id: str) -> AsyncIterator[SandboxdClient]:
    """A connection to the machine, closed afterwards."""
    async with SandboxdClient(await engine.dial(machine_id)) as client:
        yield client


@asynccontextmanager
async def attached(
    engine: Engine, machine_id: str, terminal_id: str, offset: int | None = None
) -> AsyncIterator[MachineTerminal]:
    """A terminal that is open already."""
    async with talking(engine, machine_id) as client:
        yield MachineTerminal(client, await client.attach(terminal_id, offset=offset))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and all that it wrote."""

    status: ExitStatus
    stdout: bytes
    stderr: bytes


async def run(engine: Engine, machine_id: str, *command: str, stdin: bytes = b"", timeout_ms: int = 30_000) -> Outcome:
    """Runs a command in the machine to its end."""

    async def given() -> AsyncIterator[bytes]:
        yield stdin

    said = {"stdout": b"", "stderr": b""}
    async with talking(engine, machine_id) as client:
        await client.execute(command, timeout_ms=timeout_ms)
        async for event in execution.run(client, given()):
            if isinstance(event, ExitStatus):
                return Outcome(event, said["stdout"], said["stderr"])
            said[event.stream] += event.data
    raise AssertionError("the command's output ended without its exit")
