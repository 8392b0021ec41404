"""Somebody at a terminal of a site: types ahead, and waits for what it shows."""

import asyncio

from tests.support.steady_terminal import SteadyTerminal, steady
from tests.support.waiting import WITHIN, until


class Typist:
    """Types into one terminal and keeps what it shows, over any number of connections."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._key = key
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._terminal: SteadyTerminal | None = None

    @property
    def output(self) -> bytearray:
        return self._terminal.output if self._terminal else bytearray()

    @property
    def connections(self) -> int:
        return self._terminal.connections if self._terminal else 0

    @property
    def gaps(self) -> list[object]:
        return self._terminal.gaps if self._terminal else []

    def type(self, text: bytes) -> None:
        """Goes out as soon as there is a connection."""
        self._waiting.put_nowait(text)

    async def shows(self, text: bytes, within: float = WITHIN) -> None:
        """Returns when the terminal has shown it; fails when it does not."""

        async def shown() -> bool:
            return text in self.output

        await until(shown, f"{text!r} is shown", within)

    async def run(self) -> None:
        """Until cancelled."""
        async with steady(self.url, self._key) as self._terminal:
            while True:
                await self._terminal.type(await self._waiting.get())
