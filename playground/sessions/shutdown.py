"""Ending everything that this installation runs."""

from django.db.models import Q
from django.utils import timezone

from playground.database import in_database
from playground.engine import get_engine
from playground.sessions.ending import stop
from playground.sessions.models import Machine, Session
from playground.sessions.reconcile import few_at_once
from playground.sessions.removal import discard, remove_from_engine
from playground.sessions.states import MachineState, Reason, SessionState
from playground.sessions.transitions import transition

MESSAGE = "The site was stopped."
LOOKS = 3
"""The engine finishes what somebody who was killed has asked it for, so it is looked at until it has nothing."""


async def end_all() -> tuple[int, int]:
    """Ends every session and removes all that this installation has on the engine, the pools as well; needs no worker.

    Answers how many sessions ended and how many machines went. Raises EngineUnavailable: then sessions are `stopping`,
    and the next start of a worker goes on.
    """
    stopped = await in_database(_stop_all)()
    found: set[str] = set()
    for _ in range(LOOKS):
        machines = {status.machine_id for status in await get_engine().machines()}
        found |= machines
        await few_at_once([remove_from_engine(machine_id) for machine_id in machines])
        # Also the site's own, which the next start makes again, and what was made for a look at the host.
        belongings = await get_engine().belongings()
        await few_at_once([discard(belonging) for belonging in belongings])
        if not machines and not belongings:
            break
    left = {status.machine_id for status in await get_engine().machines()}
    await in_database(_finish_all)(left)
    return stopped, len(found - left)


def _stop_all() -> int:
    alive = Session.objects.exclude(state__in=(SessionState.STOPPING, SessionState.ENDED))
    return sum(stop(session_id, Reason.ADMIN, MESSAGE) for session_id in alive.values_list("pk", flat=True))


def _finish_all(left: set[str]) -> None:
    rows = Machine.objects.exclude(state=MachineState.REMOVED).values_list("pk", flat=True)
    gone = [pk for pk in rows if pk.hex not in left]
    Machine.objects.filter(pk__in=gone).update(state=MachineState.REMOVED, state_changed_at=timezone.now())
    unfinished = Machine.objects.exclude(state=MachineState.REMOVED).filter(session__isnull=False).values("session_id")
    stopping = Session.objects.filter(~Q(pk__in=unfinished), state=SessionState.STOPPING)
    for session_id in stopping.values_list("pk", flat=True):
        transition(session_id, SessionState.ENDED, changes={"ended_at": timezone.now(), "environment": {}})
