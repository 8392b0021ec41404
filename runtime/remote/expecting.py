"""Say something, wait for what comes back: every terminal that a program holds. Never reads until silence."""

import asyncio
import re
from abc import ABC, abstractmethod

from runtime.remote.errors import NotSeen, TerminalEnded

WITHIN = 10.0
"""Seconds."""
KEPT = 1 << 20
"""Bytes of output that a pattern may look back on."""
_SHOWN = 2000


class Expecting(ABC):
    """Where the output comes from and the input goes is a matter of the subclass."""

    def __init__(self) -> None:
        self.seen = b""
        """Output that no `expect` has passed yet, the last megabyte of it."""

    @abstractmethod
    async def read(self) -> bytes:
        """The next output, one byte at least; empty at the end."""

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Types."""

    async def send_line(self, line: str) -> None:
        """Types a line and Enter."""
        await self.send(line.encode() + b"\r")

    async def expect(self, pattern: str | bytes, within: float = WITHIN) -> re.Match[bytes]:
        """Waits until the output matches the regular expression, `within` seconds at most.

        What is before the end of the match is not looked at again. Raises NotSeen and TerminalEnded, with what there
        was instead.
        """
        wanted = re.compile(pattern.encode() if isinstance(pattern, str) else pattern)
        try:
            async with asyncio.timeout(within):
                while (found := wanted.search(self.seen)) is None:
                    data = await self.read()
                    if not data:
                        raise TerminalEnded(f"ended before {wanted.pattern!r}; there was {self.seen[-_SHOWN:]!r}")
                    self.seen = (self.seen + data)[-KEPT:]
        except TimeoutError:
            raise NotSeen(f"not within {within} s: {wanted.pattern!r}; there was {self.seen[-_SHOWN:]!r}") from None
        self.seen = self.seen[found.end() :]
        return found
