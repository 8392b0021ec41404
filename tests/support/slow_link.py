"""A TCP proxy that is a slow link: so many bytes a second each way, and little of its own on the way."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

PIECE = 1024
BUFFER = 4096
"""Bytes that the kernel is asked to keep on the side of the server, so that they wait in the server, not here."""


class SlowLink:
    """`url` reaches the same as the URL it was made for. Rates may change while it is in use."""

    def __init__(self, url: str, bytes_a_second: float) -> None:
        self._upstream = urlsplit(url)
        self.bytes_a_second = bytes_a_second
        self.port = 0
        self._open: set[asyncio.Task[None]] = set()

    def url(self, url: str) -> str:
        """The same address through this link."""
        return urlsplit(url)._replace(netloc=f"127.0.0.1:{self.port}").geturl()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        upstream = socket.socket()
        upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        upstream.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(upstream, (self._upstream.hostname or "127.0.0.1", self._upstream.port or 80))
        far_reader, far_writer = await asyncio.open_connection(sock=upstream, limit=PIECE)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(reader, far_writer))
                tasks.create_task(self._carry(far_reader, writer))
        except* OSError:
            pass
        except* asyncio.CancelledError:
            # Only `close` cancels, and in Python 3.11 a stream's task that ends so is an error that is printed.
            pass
        finally:
            for each in (writer, far_writer):
                each.transport.abort()
            self._open.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=PIECE)
        loop = asyncio.get_running_loop()
        free_at = loop.time()
        while data := await reader.read(PIECE):
            free_at = max(free_at, loop.time()) + len(data) / self.bytes_a_second
            await asyncio.sleep(free_at - loop.time())
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def close(self) -> None:
        """Cuts all that is open."""
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


@asynccontextmanager
async def slow_link(url: str, bytes_a_second: float) -> AsyncIterator[SlowLink]:
    """For the time of the block."""
    link = SlowLink(url, bytes_a_second)
    server = await asyncio.start_server(link.serve, "127.0.0.1", 0, limit=PIECE)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        await link.close()
        await server.wait_closed()
