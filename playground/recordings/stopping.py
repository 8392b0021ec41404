"""Ending the recording of a session that goes on.

The session's row says that it is not recorded any more, and each recording's the offset at which that was: so the
recorder, this one or the next, ends every file there, however late it comes, and then releases the terminals.
"""

import asyncio
from uuid import UUID

from django.db import transaction

from playground.database import in_database
from playground.recordings import rows
from playground.recordings.models import Recording, RecordingState
from playground.sessions import recorded
from playground.sessions.dialogue import talk
from playground.sessions.models import Session, Terminal
from playground.sessions.states import MachineState, SessionState
from playground.sessions.transitions import load
from runtime.errors import RuntimeFailure

LARGEST = (1 << 63) - 1
"""What the database can hold; a machine that says more lies."""
ASK_SECONDS = 2.0
"""How long a machine has to say how far its terminals are. One that does not: its recordings end where they are."""


async def stop(session: Session) -> Session:
    """Records nothing of the session from now on; what was shown until now stays. Not recorded already is success.

    Raises SessionNotRunning, RecordingRequired.
    """
    places: dict[UUID, int] = {}
    if session.is_recorded and session.state == SessionState.RUNNING:
        ready = [machine.pk for machine in session.machines.all() if machine.state == MachineState.READY]
        for found in await asyncio.gather(*map(_places, ready)):
            places |= found
    await in_database(_stop)(session.pk, places)
    return await in_database(load)(session.pk)


async def _places(machine_id: UUID) -> dict[UUID, int]:
    """Of each terminal of the machine, the offset behind all that it has shown."""
    try:
        async with asyncio.timeout(ASK_SECONDS), talk(machine_id) as client:
            listed = await client.terminals()
            return {UUID(hex=each.terminal_id): each.next_offset for each in listed if each.next_offset <= LARGEST}
    except (RuntimeFailure, TimeoutError, ValueError):
        return {}


def _stop(session_id: UUID, places: dict[UUID, int]) -> None:
    with transaction.atomic():
        if not recorded.stop(session_id):
            return
        # Also what no recorder has seen yet, as far as it was shown before.
        kept = Terminal.objects.filter(pk__in=places, machine__session_id=session_id, is_kept=True)
        for terminal in kept.select_related("machine"):
            rows.begin(terminal)
        running = Recording.objects.filter(session_id=session_id, state=RecordingState.RECORDING)
        for terminal_id, offset in places.items():
            running.filter(terminal_id=terminal_id).update(stop_at=offset)
