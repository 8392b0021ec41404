"""Recording one terminal, from where its file ends."""

import time
from uuid import UUID

from playground.database import in_database
from playground.recordings import rows
from playground.recordings.models import RecordingState
from playground.sessions.dialogue import talk
from runtime.errors import ProtocolViolation, TerminalUnknown
from runtime.recording.asciicast import Cast
from runtime.recording.file import RecordingFile
from runtime.terminal import answers, frames
from runtime.terminal.frames import Frame, FrameType
from runtime.terminal.requests import AttachFlag

PATIENCE_MS = 60_000
"""How long a program waits for a recorder that is not there, before it goes on and the recording gets a gap."""
NOTE_SECONDS = 1.0
MARGIN = 4096
"""Bytes of the budget for the last words of a recording."""
_FULL = "Recording ends here: its limit is reached"
_STOPPED = "Recording was stopped here"


class Deleted(Exception):
    """The recording's row is gone."""


class Following:
    """One terminal of one machine into one file."""

    def __init__(self, work: rows.Work, file: RecordingFile) -> None:
        self._work = work
        self._file = file
        self._budget = 0
        self._noted = 0.0

    async def run(self) -> RecordingState | None:
        """To the end; None when the machine ended the connection, which may not be the end.

        Raises RuntimeFailure, OSError, Deleted.
        """
        if self._work.stop_at is not None:
            # What was recorded before its owner's word had come to the recorder.
            self._file.rewind(self._work.stop_at)
        position = self._file.position
        if position is not None and position.end:
            # Somebody was killed between the last word and its row.
            return await self._end(RecordingState(position.end))
        if self._work.is_stopped and (self._work.stop_at or 0) <= (position.offset if position else 0):
            return await self.give_up(_STOPPED)
        async with talk(self._work.machine_id) as client:
            attached = await client.attach(
                self._work.terminal_id.hex,
                offset=position.offset if position else 0,
                observe=True,
                keeping=AttachFlag.KEEP,
                patience_ms=PATIENCE_MS,
            )
            cast = self._begin(attached)
            await self._note()
            while batch := await client.reader.batch():
                state = self._take(cast, batch)
                await client.stream.write(frames.encode_ack(cast.position.offset))
                if state is None and time.monotonic() - self._noted > NOTE_SECONDS:
                    await self._note()
                if state is not None:
                    return await self._end(state)
        return None

    async def give_up(self, words: str = "") -> RecordingState:
        """Nothing more is read: the terminal is gone, or as the words say, which players show."""
        if self._file.position is None:
            self._file.begin(80, 24, _now(), self._work.title)
        assert self._file.position is not None
        if not self._file.position.end:
            cast = Cast(self._file.position)
            if words:
                cast.mark(words, _now())
            cast.finish(RecordingState.STOPPED if self._work.is_stopped else RecordingState.COMPLETE, _now())
            self._file.append(cast)
        return await self._end(RecordingState(self._file.position.end))

    def _begin(self, attached: answers.Attached) -> Cast:
        position = self._file.position
        if position is None:
            position = self._file.begin(attached.cols, attached.rows, _now(), self._work.title)
        cast = Cast(position)
        cast.resize(attached.cols, attached.rows, _now())
        return cast

    def _take(self, cast: Cast, batch: list[Frame]) -> RecordingState | None:
        """Writes what has arrived; how the recording ends, if it does."""
        state = None
        for frame in batch:
            state = state or self._frame(cast, frame)
        self._file.append(cast)
        if state is None and self._file.size > self._budget - MARGIN:
            state = _last_words(cast, _FULL, RecordingState.FULL)
            self._file.append(cast)
        return state

    def _frame(self, cast: Cast, frame: Frame) -> RecordingState | None:
        if frame.type == FrameType.OUTPUT:
            offset, data = frames.decode_output(frame.body)
            _check(offset == cast.received, "output that is not the next")
            cast.output(self._until_stopped(data, offset), _now())
        elif frame.type == FrameType.RESIZED:
            cast.resize(*frames.decode_resized(frame.body), _now())
        elif frame.type == FrameType.GAP:
            begin, end = frames.decode_gap(frame.body)
            _check(begin == cast.received, "a gap that is not here")
            cast.gap(end, _now())
        elif frame.type == FrameType.RESTORE:
            cast.restore(frames.decode_restore(frame.body)[1], _now())
        elif frame.type == FrameType.EXIT:
            status = answers.decode_exit(frame.body)
            code = 128 + status.signal if status.signal else max(0, status.exit_code)
            cast.finish(RecordingState.COMPLETE, _now(), code)
            return RecordingState.COMPLETE
        else:
            _check(False, "a frame that is not for who observes")
        if self._work.stop_at is not None and cast.received >= self._work.stop_at:
            return _last_words(cast, _STOPPED, RecordingState.STOPPED)
        return None

    def _until_stopped(self, data: memoryview, offset: int) -> memoryview:
        """What the terminal showed before its session's owner stopped the recording."""
        return data if self._work.stop_at is None else data[: max(0, self._work.stop_at - offset)]

    async def _note(self) -> None:
        assert self._file.position is not None
        self._budget = await in_database(rows.budget)(self._work.recording_id)
        if not await in_database(rows.note)(self._work.recording_id, self._file.size, self._file.position):
            raise Deleted
        self._noted = time.monotonic()

    async def _end(self, state: RecordingState) -> RecordingState:
        assert self._file.position is not None
        await in_database(rows.note)(self._work.recording_id, self._file.size, self._file.position)
        await in_database(rows.finish)(self._work, state)
        return state


def _last_words(cast: Cast, words: str, state: RecordingState) -> RecordingState:
    cast.mark(words, _now())
    cast.finish(state, _now())
    return state


async def release(machine_id: UUID, terminal_id: UUID) -> None:
    """The terminal's program waits for nobody any more. Raises RuntimeFailure."""
    async with talk(machine_id) as client:
        try:
            await client.attach(terminal_id.hex, observe=True, keeping=AttachFlag.RELEASE)
        except TerminalUnknown:
            return


def _check(good: bool, words: str) -> None:
    if not good:
        raise ProtocolViolation(words)


def _now() -> int:
    """Milliseconds on the wall clock."""
    return time.time_ns() // 1_000_000
