"""Unix sockets at paths of any length: naming the directory by a descriptor passes the kernel's limit of 108 bytes."""

import asyncio
import os
import socket
from pathlib import Path

from runtime.errors import MachineUnreachable

READ_LIMIT = 1 << 17
BACKLOG_SECONDS = 2.0


class SocketStream:
    """A `Stream` on a connected socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        # What `write` handed over is the kernel's when it returns, so `close` can be abrupt and loses nothing.
        writer.transport.set_write_buffer_limits(high=0)

    async def read(self, most: int) -> bytes:
        try:
            return await self._reader.read(most)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (OSError, RuntimeError) as error:
            raise MachineUnreachable("The machine closed the connection.") from error

    async def close(self) -> None:
        self._writer.transport.abort()


def bind(unbound: socket.socket, path: Path) -> None:
    """Binds at a path of any length. Raises OSError."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        unbound.bind(f"/proc/self/fd/{directory}/{path.name}")
    finally:
        os.close(directory)


async def dial(path: Path) -> SocketStream:
    """Connects. Raises FileNotFoundError, ConnectionRefusedError (nobody listens any more) or MachineUnreachable."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        await _connect(connection, path)
        reader, writer = await asyncio.open_connection(sock=connection, limit=READ_LIMIT)
    except BaseException:
        connection.close()
        raise
    return SocketStream(reader, writer)


async def _connect(connection: socket.socket, path: Path) -> None:
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        async with asyncio.timeout(BACKLOG_SECONDS):
            while True:
                # A Unix socket connects at once, or says EAGAIN while the listener's queue is full; there is no event
                # for "no longer full".
                try:
                    connection.connect(f"/proc/self/fd/{directory}/{path.name}")
                except BlockingIOError:
                    await asyncio.sleep(0.01)
                else:
                    return
    except TimeoutError as error:
        raise MachineUnreachable("The machine does not accept connections.") from error
    finally:
        os.close(directory)
