"""A machine whose sandboxd does not keep to the protocol: greets, lets one attach, then says what the test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from runtime.engines import sockets
from runtime.engines.base import Stream
from runtime.terminal.fields import Tag, encode_fields
from runtime.terminal.frames import FrameType, encode_frame

Says = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HELLO = encode_frame(
    FrameType.HELLO,
    encode_fields([(Tag.VERSION, 1), (Tag.HOSTNAME, "liar"), (Tag.PID, 1), (Tag.FLAGS, 1)]),
)


def attached(offset: int = 0, next_offset: int = 0, *, cols: int = 80, rows: int = 24) -> bytes:
    """OK to an ATTACH."""
    fields = [
        (Tag.OFFSET, offset),
        (Tag.NEXT, next_offset),
        (Tag.COLS, cols),
        (Tag.ROWS, rows),
        (Tag.INPUT, 0),
    ]
    return encode_frame(FrameType.OK, encode_fields(fields))


def output(offset: int, data: bytes) -> bytes:
    return encode_frame(FrameType.OUTPUT, offset.to_bytes(8, "big") + data)


class Liar:
    """`says` is run for each connection; what it leaves open stays open until the end of the test."""

    def __init__(self, path: Path, says: Says) -> None:
        self._path = path
        self._says = says

    async def dial(self, _machine_id: str) -> Stream:
        return await sockets.dial(self._path)


@asynccontextmanager
async def lying(path: Path, says: Says) -> AsyncIterator[Liar]:
    """A server at `path`; nothing of it is left."""
    open_now: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await says(reader, writer)
            while await reader.read(1 << 16):
                pass
        except OSError:
            pass  # the relay hung up, as it should
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        open_now.add(task)
        task.add_done_callback(open_now.discard)

    server = await asyncio.start_unix_server(accept, path)
    try:
        yield Liar(path, says)
    finally:
        server.close()
        for task in list(open_now):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)
        await server.wait_closed()
