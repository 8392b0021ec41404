"""A Unix socket in front of an engine that dies at a moment of the test's choice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit


class CuttingProxy:
    """Hands everything on until a request with `cut_at` in its first line was answered or, `before`, reached it.

    From then on it is as if the engine had died: every connection is closed, new ones too.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream).path
        self._connections: set[asyncio.StreamWriter] = set()
        self.cut_at: bytes | None = None
        self.before = True
        self.dead = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.dead:
            writer.close()
            return
        upstream_reader, upstream_writer = await asyncio.open_unix_connection(self._upstream)
        self._connections |= {writer, upstream_writer}
        backwards = asyncio.create_task(self._pump(upstream_reader, writer, watch=False))
        await self._pump(reader, upstream_writer, watch=True)
        backwards.cancel()
        await asyncio.gather(backwards, return_exceptions=True)
        for each in (writer, upstream_writer):
            each.close()
            self._connections.discard(each)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, watch: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                hit = watch and self.cut_at is not None and self.cut_at in data.partition(b"\r\n")[0]
                if hit and self.before:
                    self.die()
                    return
                writer.write(data)
                await writer.drain()
                if hit:
                    self.die()
                    return

    def die(self) -> None:
        self.dead = True
        for connection in self._connections:
            connection.close()

    def revive(self) -> None:
        """The engine is back, and stays."""
        self.cut_at = None
        self.dead = False


@asynccontextmanager
async def cutting_proxy(upstream: str, path: Path) -> AsyncIterator[CuttingProxy]:
    """Listens at `path` for the time of the block."""
    proxy = CuttingProxy(upstream)
    server = await asyncio.start_unix_server(proxy.serve, path)
    try:
        yield proxy
    finally:
        proxy.die()
        server.close()
        await server.wait_closed()
        await asyncio.to_thread(path.unlink, missing_ok=True)
