"""A terminal of a site as a program holds it: it comes back by itself after a cut, and loses and doubles nothing."""

import asyncio
import json
import random
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from runtime.errors import ProtocolViolation
from runtime.remote.errors import TerminalClosed, TerminalError
from runtime.remote.expecting import WITHIN, Expecting
from runtime.remote.progress import InputProgress, OutputProgress
from runtime.terminal import frames
from runtime.terminal.closing import CloseCode
from runtime.terminal.messages import SUBPROTOCOL, MessageType
from runtime.terminal.pacing import LARGEST

MOST_TYPED = 1 << 20
"""Bytes that may be typed and not accepted; `send` waits for room."""
BACKOFF_FIRST, BACKOFF_BASE, BACKOFF_CAP = 0.1, 0.25, 10.0
"""Seconds; full jitter, as on the page."""
CONNECT_SECONDS = 10.0
_FINAL = frozenset(
    {
        CloseCode.PROTOCOL_ERROR,
        CloseCode.NOT_AUTHENTICATED,
        CloseCode.FORBIDDEN,
        CloseCode.UNKNOWN,
        CloseCode.ENDED,
    }
)


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How the terminal's process ended: one of both is None."""

    exit_code: int | None
    signal: int | None


class RemoteTerminal(Expecting):
    """Use as an async context manager: connects (or raises TerminalClosed when the site refuses), hangs up at the end.

    The terminal itself goes on. `key` is an API key. `offset` resumes where an earlier client stopped; without it,
    output begins with the oldest byte that is kept. What is not read is not acknowledged: the site then sends no more
    than half a megabyte, and the program in the terminal waits.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        offset: int | None = None,
        size: tuple[int, int] | None = None,
        observe: bool = False,
    ) -> None:
        super().__init__()
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._size = size
        self._observe = observe
        self._client = secrets.randbits(63) | 1
        self._output = OutputProgress(offset)
        self.input = InputProgress()
        self._unread: deque[tuple[int, bytes]] = deque()
        self._socket: ClientConnection | None = None
        self._changed = asyncio.Condition()
        self._staying: asyncio.Task[None] | None = None
        self._ended: TerminalError | None = None
        self._exit: ExitStatus | None = None
        self.connections = 0
        """How often the site has greeted this client."""
        self.notices: deque[dict[str, Any]] = deque(maxlen=100)
        """The last of what the site said beside output, as docs/api.md describes it: gaps, sizes, the end."""
        self.restored: bytes | None = None
        """What made a terminal ready for output that began in the middle, the last time that it did."""

    @property
    def offset(self) -> int:
        """Of the next byte that `read` returns: where another client may resume."""
        return self._output.processed

    @property
    def connected(self) -> bool:
        return self._socket is not None

    async def __aenter__(self) -> Self:
        self._staying = asyncio.create_task(self._stay())
        try:
            await self._until(lambda: self.connections > 0)
        except BaseException:
            await self._hang_up()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hang_up()

    async def read(self) -> bytes:
        """The next output, one byte at least; empty once the process has ended. Raises TerminalClosed."""
        await self._until(lambda: bool(self._unread) or self._exit is not None)
        if not self._unread:
            return b""
        end, data = self._unread.popleft()
        owed = self._output.process(end)
        if owed is not None:
            await self._tell(frames.encode_ack(owed))
        return data

    async def send(self, data: bytes) -> None:
        """Types, also during a cut. Waits while more than a megabyte has not arrived. Raises TerminalClosed."""
        for begin in range(0, len(data), MOST_TYPED // 2):
            piece = data[begin : begin + MOST_TYPED // 2]
            await self._until(lambda: self._waiting <= MOST_TYPED // 2)
            self.input.type(piece)
            await self._flush()

    @property
    def _waiting(self) -> int:
        return self.input.typed - self.input.accepted

    async def arrived(self, within: float = WITHIN) -> None:
        """Waits until all that was typed has arrived in the machine. Raises TimeoutError, TerminalClosed."""
        async with asyncio.timeout(within):
            await self._until(lambda: self._waiting == 0)

    async def resize(self, cols: int, rows: int) -> None:
        """Also for connections to come. Raises ValueError unless both are 1 to 1000."""
        message = frames.encode_resize(cols, rows)
        self._size = (cols, rows)
        await self._tell(message)

    async def exit_status(self, within: float = WITHIN) -> ExitStatus:
        """Reads to the end of the output; how the process ended. Raises TimeoutError, TerminalClosed."""
        async with asyncio.timeout(within):
            while await self.read():
                pass
        assert self._exit is not None
        return self._exit

    async def cut(self) -> None:
        """Drops the connection as if the network had; it comes back by itself."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: condition() or self._ended is not None)
        if not condition():
            assert self._ended is not None
            raise self._ended

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _stay(self) -> None:
        """Connects, and again after each cut."""
        attempt = 0
        while self._exit is None:
            greeted = self.connections
            try:
                await self._serve()
            except (OSError, TimeoutError, InvalidHandshake):
                pass
            except (TerminalClosed, ProtocolViolation) as ended:
                self._ended = ended if isinstance(ended, TerminalError) else TerminalError(str(ended))
                await self._notify()
                return
            finally:
                self._socket = None
            attempt = 1 if self.connections > greeted else attempt + 1
            if self._exit is None:
                await asyncio.sleep(_backoff(attempt))

    def _address(self) -> str:
        query: dict[str, object] = {"role": "observe"} if self._observe else {"client": self._client}
        if self._size is not None and not self._observe:
            query["cols"], query["rows"] = self._size
        if self._output.received is not None:
            query["offset"] = self._output.received
        parts = urlsplit(self._url)
        return parts._replace(query="&".join(filter(None, [parts.query, urlencode(query)]))).geturl()

    async def _serve(self) -> None:
        """One connection, to its end. Raises TerminalClosed when it is not worth it to come back."""
        if sum(len(data) for _, data in self._unread) >= LARGEST:
            # Each connection may bring so much: whoever reads nothing gets it again instead of keeping it.
            self._unread.clear()
            self._output.forget()
        async with connect(
            self._address(),
            additional_headers=self._headers,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            max_size=LARGEST,
            open_timeout=CONNECT_SECONDS,
            close_timeout=1,
        ) as socket:
            try:
                while True:
                    message = await socket.recv()
                    if isinstance(message, str) or not message:
                        raise ProtocolViolation("messages are binary")
                    await self._take(socket, message)
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code in _FINAL:
                    raise TerminalClosed(closed.rcvd.code, closed.rcvd.reason) from closed

    async def _take(self, socket: ClientConnection, message: bytes) -> None:
        kind = message[0]
        if kind == MessageType.OUTPUT:
            offset, data = frames.decode_output(message)
            self._output.take(offset, len(data))
            self._unread.append((offset + len(data), bytes(data)))
        elif kind == MessageType.HELLO:
            await self._greeted(socket, _json(message))
        elif kind == MessageType.INPUT_ACK:
            self.input.accept(frames.decode_input_ack(message))
            await self._flush()
        elif kind == MessageType.RESTORE:
            self.restored = bytes(frames.decode_restore(message)[1])
        elif kind == MessageType.NOTICE:
            self._noticed(_json(message))
        elif kind == MessageType.EXIT:
            said = _json(message)
            self._exit = ExitStatus(said.get("exit_code"), said.get("signal"))
        await self._notify()

    def _noticed(self, notice: dict[str, Any]) -> None:
        if notice.get("type") == "gap":
            self._output.skip(int(notice["from"]), int(notice["to"]))
        self.notices.append(notice)

    async def _greeted(self, socket: ClientConnection, hello: dict[str, Any]) -> None:
        self._output.begin(int(hello["offset"]))
        if not self._observe:
            self.input.rewind(int(hello["input"]))
        self._socket = socket
        self.connections += 1
        await self._flush()

    async def _flush(self) -> None:
        socket = self._socket
        while socket is not None and socket is self._socket and (piece := self.input.next()) is not None:
            await self._tell(frames.encode_input_at(*piece))

    async def _tell(self, frame: bytes) -> None:
        """A message is a frame without its length. One that is lost with the connection is not needed on the next."""
        if self._socket is not None:
            try:
                await self._socket.send(frame[4:])
            except ConnectionClosed:
                self._socket = None

    async def _hang_up(self) -> None:
        if self._staying is not None:
            self._staying.cancel()
            await asyncio.gather(self._staying, return_exceptions=True)


def _backoff(attempt: int) -> float:
    longest = BACKOFF_FIRST if attempt == 1 else min(BACKOFF_CAP, BACKOFF_BASE * 2 ** min(attempt, 16))
    return random.random() * longest  # noqa: S311  # spreads load, guards nothing


def _json(message: bytes) -> dict[str, Any]:
    try:
        content = json.loads(message[1:])
    except ValueError as error:
        raise ProtocolViolation("a message that is no JSON") from error
    if not isinstance(content, dict):
        raise ProtocolViolation("a message that is no object")
    return content
