"""The recorder: one process beside web and worker that follows every terminal that is to be recorded.

Its own process, because a recording must go on while web and worker are restarted, and because it may itself be
killed at any moment: terminals wait for it, and their files say where to go on. A second one does no harm, since each
file has a lock.
"""

import asyncio
from uuid import UUID

import structlog
from django.db import Error as DatabaseError

from playground.database import in_database
from playground.recordings import rows, store
from playground.recordings.following import Deleted, Following, release
from playground.sessions import recorded
from runtime.errors import ProtocolViolation, RuntimeFailure
from runtime.recording.file import RecordingFile, Taken

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
"""How often to look for new terminals. What they write meanwhile is kept for us."""


class Recorder:
    """Everything that this process records, each in a task of its own."""

    def __init__(self) -> None:
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        """By the id of the recording, or of the terminal that is to be released."""
        self._to_their_end: set[UUID] = set()
        """Those of them that go on for as long as there is output."""

    async def run(self) -> None:
        """For ever; when it is cancelled, all files are closed behind whole batches."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _look(self) -> None:
        try:
            wanted = await in_database(rows.work)()
            kept_in_vain = await in_database(rows.kept_in_vain)()
        except DatabaseError as error:
            log.warning("nothing_to_record_found", error=type(error).__name__)
            return
        self._tasks = {key: task for key, task in self._tasks.items() if not task.done()}
        self._to_their_end &= self._tasks.keys()
        for work in wanted:
            self._see_to(work)
        for machine_id, terminal_id in kept_in_vain:
            if terminal_id not in self._tasks:
                self._tasks[terminal_id] = asyncio.create_task(_release(machine_id, terminal_id))

    def _see_to(self, work: rows.Work) -> None:
        key = work.recording_id
        if key in self._tasks:
            if work.is_stopped and key in self._to_their_end:
                # The next look takes it up where this leaves it, and ends it where its session's owner did.
                self._tasks[key].cancel()
            return
        if not work.is_stopped:
            self._to_their_end.add(key)
        self._tasks[key] = asyncio.create_task(_record(work))


async def _record(work: rows.Work) -> None:
    """Once; what fails is tried again at the next look."""
    try:
        with RecordingFile(store.path_of(work.recording_id)) as file:
            await _follow(Following(work, file), work)
    except Taken:
        return
    except Deleted:
        store.remove([work.recording_id])
    except (RuntimeFailure, OSError, TimeoutError, DatabaseError) as error:
        log.warning("recording_interrupted", recording=work.recording_id.hex, error=type(error).__name__)
    except Exception:
        # A defect of ours ends this try, and not the other recordings.
        log.exception("recording_failed", recording=work.recording_id.hex)


async def _follow(following: Following, work: rows.Work) -> None:
    try:
        await following.run()
    except ProtocolViolation as error:
        log.warning("recording_ended", recording=work.recording_id.hex, error=str(error))
        await following.give_up("Recording ends here: the machine does not keep to the protocol")
    except RuntimeFailure:
        # Asked after the attempt: what was still to be read has been read.
        if not work.gone:
            raise
        await following.give_up()


async def _release(machine_id: UUID, terminal_id: UUID) -> None:
    """Once, like `_record`."""
    try:
        await release(machine_id, terminal_id)
        await in_database(recorded.released)(terminal_id)
    except (RuntimeFailure, OSError, TimeoutError, DatabaseError) as error:
        log.warning("terminal_not_released", terminal=terminal_id.hex, error=type(error).__name__)
    except Exception:
        log.exception("release_failed", terminal=terminal_id.hex)
