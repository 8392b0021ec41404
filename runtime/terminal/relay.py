"""Carries bytes between a browser's socket and the sandboxd of a machine: a bare ASGI application, nothing else.

Per message it checks, and touches no database, no broker, no thread. Output is taken from sandboxd only when the socket
took what came before, and sandboxd keeps to a window beyond the client's acknowledgements, which is as large as the
client's link needs (`pacing`): a client that does not read costs no memory anywhere, and a slow one is not far behind.
Both sides are hostile: what breaks the rules ends this one socket.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from runtime.asgi import Message, Receive, Send
from runtime.engines.base import Stream
from runtime.errors import Busy, MachineGone, MachineUnreachable, ProtocolViolation, RuntimeFailure, TerminalUnknown
from runtime.terminal import frames
from runtime.terminal.answers import Attached, decode_exit, decode_refused
from runtime.terminal.client import WINDOW, SandboxdClient
from runtime.terminal.closing import CloseCode, short
from runtime.terminal.frames import Frame, FrameType
from runtime.terminal.messages import (
    BadMessage,
    MessageType,
    Role,
    ack_offset,
    check_message,
    encode_json,
    notice,
)
from runtime.terminal.pacing import FIRST, Pacing
from runtime.terminal.refusals import BadOffset

STUCK_SECONDS = 120.0
"""How long one message may wait for room in the machine. Meanwhile nothing is read of the client, so that nobody would
notice when it has gone: without an end it would hold its place until the session's."""
_TYPED = frozenset({MessageType.INPUT, MessageType.INPUT_AT})
_LITTLE = 4
"""While less than this part of the window is on its way as far as sandboxd knows, no acknowledgement changes anything
for it: telling it would wake it, and cost as much as the key that was echoed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which terminal, from where on, and as what."""

    terminal_id: str
    """As sandboxd knows it."""
    public_id: str
    machine: str
    role: Role = Role.CONTROL
    offset: int | None = None
    size: tuple[int, int] | None = None
    client: int = 0
    """A number that a client keeps over reconnects, so that its input counts once; 0: none."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a socket ends."""

    code: CloseCode
    words: str
    """At most 123 bytes."""
    reason: str = ""
    """Of a session that has ended; the client is told by a NOTICE before."""


_LIED = Ending(CloseCode.BROKEN, "The machine does not keep to the protocol.")


class _Over(Exception):
    """This socket ends now."""

    def __init__(self, ending: Ending | None) -> None:
        super().__init__(ending.words if ending else "the client went away")
        self.ending = ending


class Site(Protocol):
    """What the relay needs to be told by who let the client in."""

    async def dial(self) -> Stream:
        """A new stream to the machine. Raises RuntimeFailure."""

    async def explain(self) -> Ending:
        """Why the machine does not answer any more."""

    def active(self) -> None:
        """Something was typed: called for each message of input, so it must be cheap."""


async def relay(receive: Receive, send: Send, wish: Wish, site: Site) -> None:
    """Serves one socket that was accepted and may have this terminal, until either side ends; closes the socket.

    Cancelled, it closes nothing but its own connection to the machine.
    """
    try:
        client = SandboxdClient(await site.dial())
        async with client:
            attached = await _attach(client, wish)
            await _Relay(receive, send, client, wish, attached, site).run()
    except _Over as over:
        ending = over.ending
    except (MachineGone, MachineUnreachable):
        ending = await site.explain()
    except RuntimeFailure as failure:
        ending = _ending_of(failure)
    if ending is not None:
        await _close(send, ending)


async def _attach(client: SandboxdClient, wish: Wish) -> Attached:
    observe = wish.role == Role.OBSERVE
    return await client.attach(
        wish.terminal_id,
        offset=wish.offset,
        client=wish.client,
        size=None if observe else wish.size,
        observe=observe,
        window=FIRST,
    )


def _ending_of(failure: RuntimeFailure) -> Ending:
    match failure:
        case TerminalUnknown():
            return Ending(CloseCode.UNKNOWN, "The terminal was closed.")
        case Busy():
            return Ending(CloseCode.TOO_MANY, "Too many connections to this machine.")
        case BadOffset():
            return Ending(CloseCode.PROTOCOL_ERROR, "The terminal can't be continued from there.")
        case ProtocolViolation():
            return _LIED
    return Ending(CloseCode.COME_BACK, "The machine can't be reached just now.")


async def _close(send: Send, ending: Ending) -> None:
    try:
        if ending.reason:
            await send(_binary(notice("ended", reason=ending.reason, message=ending.words)))
        await send({"type": "websocket.close", "code": int(ending.code), "reason": short(ending.words)})
    except (OSError, RuntimeError):
        return  # the client is gone, which is what was wanted


def _binary(body: bytes) -> Message:
    return {"type": "websocket.send", "bytes": body}


class _Relay:
    """One socket at one terminal, attached."""

    def __init__(  # noqa: PLR0917  # one caller, right above
        self,
        receive: Receive,
        send: Send,
        client: SandboxdClient,
        wish: Wish,
        attached: Attached,
        site: Site,
    ) -> None:
        self._receive = receive
        self._send = send
        self._client = client
        self._wish = wish
        self._attached = attached
        self._site = site
        self._cursor = attached.offset if wish.offset is None else wish.offset
        """Offset after the last byte that the client was sent."""
        self._acknowledged = self._cursor
        self._told = self._cursor
        """What sandboxd knows of that."""
        self._pacing = Pacing(self._cursor)
        self._exhausted = asyncio.Event()

    async def run(self) -> None:
        """Until one side ends; raises _Over or RuntimeFailure, never returns otherwise."""
        await self._hello()
        tasks = [asyncio.create_task(each) for each in (self._output(), self._input(), self._feed_the_starved())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # The machine's word counts for more than that of a client that left at the same moment.
            await next(task for task in tasks if task in done)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hello(self) -> None:
        attached = self._attached
        hello: dict[str, object] = {
            "terminal": self._wish.public_id,
            "machine": self._wish.machine,
            "offset": attached.offset,
            "next": attached.next_offset,
            "cols": attached.cols,
            "rows": attached.rows,
            "role": self._wish.role.value,
            "input": attached.input_accepted,
        }
        await self._send(_binary(encode_json(MessageType.HELLO, hello)))

    async def _output(self) -> None:
        while batch := await self._client.reader.batch():
            for frame in _joined(batch, min(self._pacing.message, frames.MAX_DATA)):
                await self._send(_binary(self._message(frame)))
                if frame.type == FrameType.EXIT:
                    raise _Over(Ending(CloseCode.DONE, "The terminal's process has ended."))
        raise MachineUnreachable("The machine ended the connection.")

    def _message(self, frame: Frame) -> bytes:
        kind, body = frame
        if kind == FrameType.OUTPUT:
            self._advance(body)
            return body
        if kind == FrameType.INPUT_ACK:
            frames.decode_input_ack(body)
            return body
        if kind == FrameType.RESTORE:
            return self._restore(body)
        if kind == FrameType.GAP:
            return self._gap(*frames.decode_gap(body))
        if kind == FrameType.RESIZED:
            cols, rows = frames.decode_resized(body)
            return notice("resized", cols=cols, rows=rows)
        if kind == FrameType.EXIT:
            status = decode_exit(body)
            reason = "signal" if status.signal else "exited"
            content: dict[str, object] = {
                "exit_code": None if status.signal else status.exit_code,
                "signal": status.signal or None,
                "reason": reason,
            }
            return encode_json(MessageType.EXIT, content)
        if kind == FrameType.ERROR:
            raise _Over(_refusal(decode_refused(body).code))
        raise _lied()

    def _advance(self, body: bytes) -> None:
        """The machine must send every byte once, in order, and not more than the client has room for."""
        offset = int.from_bytes(body[1:9], "big")
        if offset != self._cursor or len(body) < 10:
            raise _lied()
        self._cursor = offset + len(body) - 9
        if self._cursor - self._acknowledged > WINDOW:
            raise _lied()
        self._pacing.sent(self._cursor, time.monotonic())
        if self._pacing.exhausted:
            self._exhausted.set()

    def _restore(self, body: bytes) -> bytes:
        offset, _ = frames.decode_restore(body)
        if offset != self._cursor:
            raise _lied()
        return body

    def _gap(self, begin: int, end: int) -> bytes:
        if begin != self._cursor:
            raise _lied()
        self._acknowledged += end - begin
        self._cursor = end
        self._pacing.skipped(end)
        return notice("gap", **{"from": begin, "to": end})

    async def _input(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                raise _Over(None)
            body = message.get("bytes") or b""
            try:
                kind = self._check(body)
            except BadMessage as bad:
                raise _Over(Ending(CloseCode.PROTOCOL_ERROR, str(bad))) from bad
            if kind in _TYPED:
                self._site.active()
            frame = self._acknowledgement(body) if kind == MessageType.ACK else frames.wrap_body(body)
            if not frame:
                continue
            try:
                async with asyncio.timeout(STUCK_SECONDS):
                    await self._client.stream.write(frame)
            except TimeoutError:
                raise _Over(Ending(CloseCode.COME_BACK, "The terminal takes no input.")) from None

    def _acknowledgement(self, body: bytes) -> bytes:
        """What sandboxd is told; empty when that is not worth it. A new window has to be known before it counts."""
        changed = self._pacing.acknowledged(self._acknowledged, time.monotonic())
        if not changed and self._cursor - self._told < self._pacing.window // _LITTLE:
            return b""
        self._told = self._acknowledged
        frame = frames.wrap_body(body)
        return frames.encode_window(self._pacing.window) + frame if changed else frame

    async def _feed_the_starved(self) -> None:
        """Until this socket ends: gives more to a client that waits for more before it acknowledges any."""
        while True:
            await self._exhausted.wait()
            self._exhausted.clear()
            before = self._acknowledged
            await asyncio.sleep(self._pacing.patience)
            if self._acknowledged == before and self._pacing.exhausted and self._pacing.starved():
                await self._client.stream.write(frames.encode_window(self._pacing.window))

    def _check(self, body: bytes) -> int:
        kind = check_message(body)
        if kind == MessageType.ACK:
            offset = ack_offset(body)
            if offset > self._cursor:
                raise BadMessage("ACK is beyond what was sent.")
            self._acknowledged = max(self._acknowledged, offset)
        elif self._wish.role == Role.OBSERVE:
            raise _Over(Ending(CloseCode.FORBIDDEN, "You watch this terminal; you can't type in it."))
        elif kind == MessageType.INPUT_AT and not self._wish.client:
            raise BadMessage("INPUT_AT needs a client number in the query.")
        return kind


def _refusal(code: str) -> Ending:
    if code == "forbidden":
        return Ending(CloseCode.FORBIDDEN, "You watch this terminal; you can't type in it.")
    if code == "bad_offset":
        return Ending(CloseCode.PROTOCOL_ERROR, "Input before this offset is missing.")
    return Ending(CloseCode.COME_BACK, "The machine ended the connection.")


def _lied() -> ProtocolViolation:
    return ProtocolViolation("The machine does not keep to the protocol.")


def _joined(batch: list[Frame], most: int) -> Iterator[Frame]:
    """The same, with outputs that follow each other made one, of at most `most` bytes: a message costs more than a copy
    of small ones."""
    waiting: list[bytes] = []
    size, end = 0, 0
    for frame in batch:
        length = len(frame.body) - 9
        follows = frame.type == FrameType.OUTPUT and int.from_bytes(frame.body[1:9], "big") == end
        if waiting and not (follows and size + length <= most):
            yield _join(waiting)
            waiting = []
        if frame.type != FrameType.OUTPUT:
            yield frame
            continue
        size = size + length if waiting else length
        waiting.append(frame.body)
        end = int.from_bytes(frame.body[1:9], "big") + length
    if waiting:
        yield _join(waiting)


def _join(bodies: list[bytes]) -> Frame:
    if len(bodies) == 1:
        return Frame(FrameType.OUTPUT, bodies[0])
    return Frame(FrameType.OUTPUT, b"".join([bodies[0], *(memoryview(body)[9:] for body in bodies[1:])]))
