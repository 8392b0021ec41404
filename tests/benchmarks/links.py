"""Our terminal socket as a program holds it that does other things meanwhile."""

from typing import Self

import websockets
from websockets.asyncio.client import ClientConnection


class PlaygroundLink:
    """`playground.terminal.v1`, acknowledging what was read as the page does."""

    ACKNOWLEDGE_EVERY = 65536
    SMALL = 4096
    """Bytes of a message after which nothing more is expected at once."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.acknowledged = 0

    @classmethod
    async def open(cls, url: str, headers: dict[str, str]) -> Self:
        socket = await websockets.connect(
            url, additional_headers=headers, subprotocols=["playground.terminal.v1"], compression=None, max_size=None
        )
        return cls(socket)

    async def send(self, data: bytes) -> None:
        await self.socket.send(b"\x00" + data)

    async def read(self) -> bytes:
        while True:
            message = await self.socket.recv()
            assert isinstance(message, bytes)
            if message[0] == 0x81:
                break
        end = int.from_bytes(message[1:9], "big") + len(message) - 9
        small = len(message) < self.SMALL
        if small or end - self.acknowledged >= self.ACKNOWLEDGE_EVERY:
            self.acknowledged = end
            await self.socket.send(b"\x02" + end.to_bytes(8, "big"))
        return message[9:]

    async def close(self) -> None:
        await self.socket.close()


async def read_until(link: PlaygroundLink, mark: bytes) -> int:
    """Reads until `mark` has been seen; answers the bytes that were read."""
    total, tail = 0, b""
    while True:
        data = await link.read()
        total += len(data)
        if mark in tail + data:
            return total
        tail = (tail + data)[-len(mark) :]
