"""A command without a terminal, as it runs: its output as it comes, its input, its end."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Literal

from runtime.errors import MachineUnreachable, ProtocolViolation
from runtime.terminal.answers import ExitStatus, decode_exit
from runtime.terminal.client import Promised, SandboxdClient
from runtime.terminal.frames import MAX_DATA, Frame, FrameType, encode_kill, encode_stdin

StreamName = Literal["stdout", "stderr"]
PATIENCE_SECONDS = 10.0
"""How much later than its timeout a command may end."""
_STREAMS: dict[int, StreamName] = {FrameType.STDOUT: "stdout", FrameType.STDERR: "stderr"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of output, one byte at least."""

    stream: StreamName
    data: bytes


async def run(
    client: SandboxdClient, stdin: AsyncIterator[bytes] | None = None
) -> AsyncGenerator[Chunk | ExitStatus, None]:
    """After `client.execute`: the output as it comes, and last how the command ended.

    `stdin` is written meanwhile, then the command's input ends. Leaving the iterator early and closing the client kills
    the command. Raises MachineUnreachable, ProtocolViolation, and whatever `stdin` raises.
    """
    failures: list[Exception] = []
    feeding = asyncio.create_task(_feed(client, stdin, failures))
    bounds = _Bounds(client.promised)
    try:
        while True:
            frame = await bounds.next(client)
            if failures:
                raise failures[0]
            if frame is None:
                raise MachineUnreachable("The machine went away while the command ran.")
            if frame.type == FrameType.EXIT:
                yield decode_exit(frame.body)
                return
            chunk = _chunk(frame)
            if chunk is not None:
                bounds.count(chunk)
                yield chunk
    finally:
        feeding.cancel()
        await asyncio.wait({feeding})


class _Bounds:
    """Holds the machine to what it was asked: it may write no more than the limit, and not be silent for ever."""

    def __init__(self, promised: Promised) -> None:
        self._limit = promised.limit_bytes
        self._written: Counter[StreamName] = Counter()
        self._ends_at = time.monotonic() + promised.timeout_ms / 1000 if promised.timeout_ms else math.inf

    async def next(self, client: SandboxdClient) -> Frame | None:
        # Whoever reads slowly may come late; what is there by then is not lost.
        patience = max(self._ends_at - time.monotonic(), 0) + PATIENCE_SECONDS
        try:
            async with asyncio.timeout(None if math.isinf(patience) else patience):
                return await client.reader.next()
        except TimeoutError as error:
            raise MachineUnreachable("The machine does not end the command.") from error

    def count(self, chunk: Chunk) -> None:
        self._written[chunk.stream] += len(chunk.data)
        if self._limit is not None and self._written[chunk.stream] > self._limit:
            raise ProtocolViolation("The machine sent more than it was asked for.")


async def kill(client: SandboxdClient, signal: int) -> None:
    """Sends a signal to the whole process group of the command."""
    await client.stream.write(encode_kill(signal))


def _chunk(frame: Frame) -> Chunk | None:
    stream = _STREAMS.get(frame.type)
    if stream is None:
        raise ProtocolViolation("The machine sent something else than a command's output.")
    data = frame.body[1:]
    return Chunk(stream, data) if data else None


async def _feed(client: SandboxdClient, stdin: AsyncIterator[bytes] | None, failures: list[Exception]) -> None:
    """A failing source ends the connection, so that the command does not take half of its input for the whole."""
    try:
        if stdin is not None:
            async for data in stdin:
                for at in range(0, len(data), MAX_DATA):
                    await client.stream.write(encode_stdin(memoryview(data)[at : at + MAX_DATA]))
        await client.stream.write(encode_stdin(b""))
    except MachineUnreachable:
        return  # the reader learns how it ended
    except Exception as error:
        failures.append(error)
        await client.stream.close()
