"""A terminal of a site over any number of connections, whose every byte is kept and compared."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.remote import RemoteTerminal


class SteadyTerminal:
    """A RemoteTerminal, all that was typed into it, and all that it showed."""

    def __init__(self, remote: RemoteTerminal) -> None:
        self._remote = remote
        self.typed = bytearray()
        """Everything, from the first byte on."""
        self.output = bytearray()
        """Everything that came, by its offset."""

    @property
    def accepted(self) -> int:
        """So many of the bytes typed have arrived in the machine."""
        return self._remote.input.accepted

    @property
    def connections(self) -> int:
        return self._remote.connections

    @property
    def repeated(self) -> int:
        """Bytes of input that were sent again after a cut."""
        return self._remote.input.repeated

    @property
    def gaps(self) -> list[object]:
        return [notice for notice in self._remote.notices if notice["type"] == "gap"]

    async def type(self, data: bytes) -> None:
        """Takes it, whether there is a connection or not."""
        self.typed += data
        await self._remote.send(data)

    async def follow(self) -> None:
        """Reads until cancelled. Raises AssertionError when output is missing or the shell ends."""
        while data := await self._remote.read():
            assert not self.gaps, f"output was lost: {self.gaps}"
            self.output += data
            assert self._remote.offset == len(self.output)
        raise AssertionError("the shell ended")


@asynccontextmanager
async def steady(url: str, key: str) -> AsyncIterator[SteadyTerminal]:
    """One that stays for the time of the block. What went wrong meanwhile fails the block."""
    async with RemoteTerminal(url, key=key, offset=0, size=(80, 24)) as remote, asyncio.TaskGroup() as tasks:
        terminal = SteadyTerminal(remote)
        following = tasks.create_task(terminal.follow())
        yield terminal
        following.cancel()
