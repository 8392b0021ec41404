"""Frames of one Stream, one by one."""

from collections import deque

from runtime.engines.base import Stream
from runtime.errors import MachineUnreachable, ProtocolViolation
from runtime.terminal.answers import decode_refused
from runtime.terminal.frames import Frame, FrameParser, FrameType
from runtime.terminal.refusals import failure_of

READ_SIZE = 1 << 18


class FrameReader:
    """Reads a stream frame by frame; holds what one read brought and no more."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._parser = FrameParser()
        self._waiting: deque[Frame] = deque()

    async def next(self) -> Frame | None:
        """The next frame, None at the end. Raises ProtocolViolation."""
        while not self._waiting:
            data = await self._stream.read(READ_SIZE)
            if not data:
                return None
            self._waiting.extend(self._parser.feed(data))
        return self._waiting.popleft()

    async def batch(self) -> list[Frame]:
        """What has arrived, in order, one frame at least; empty at the end. Raises ProtocolViolation."""
        frames = list(self._waiting)
        self._waiting.clear()
        while not frames:
            data = await self._stream.read(READ_SIZE)
            if not data:
                return []
            frames = self._parser.feed(data)
        return frames

    async def answer(self, expected: FrameType) -> bytes:
        """The body of a frame that must come now. Raises what an ERROR says, MachineUnreachable at the end."""
        frame = await self.next()
        if frame is None:
            raise MachineUnreachable("The machine ended the connection.")
        if frame.type == FrameType.ERROR:
            raise failure_of(decode_refused(frame.body))
        if frame.type != expected:
            raise ProtocolViolation("The machine sent something else than was asked for.")
        return frame.body
