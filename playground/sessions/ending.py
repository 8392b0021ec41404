"""The end of a session: from everywhere to `stopping`, and from there, with nothing left behind, to `ended`."""

import asyncio
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from playground.database import in_database
from playground.sessions import last_words, queue
from playground.sessions.leases import renewing
from playground.sessions.models import Machine, Session
from playground.sessions.removal import remove_machine
from playground.sessions.states import MachineState, Reason, SessionState
from playground.sessions.transitions import machine_transition, transition

STOPPING_DEADLINE = timedelta(seconds=60)
"""A session that could not be cleaned up by then is ended all the same; the sweep goes on with its machines."""
LEASE = timedelta(seconds=10)
"""Renewed while a worker removes its machines: what one that died was removing waits no longer."""


def stop(
    session: Session | UUID,
    reason: Reason,
    message: str = "",
    *,
    where: Q | None = None,
    exit_code: int | None = None,
) -> bool:
    """Begins to end it; a worker removes its machines. True when this call did, False when it was ending already.

    `where` is what must still hold, e.g. that it has not been extended meanwhile.
    """
    session_id = session if isinstance(session, UUID) else session.pk
    with transaction.atomic():
        stopped = transition(
            session_id,
            SessionState.STOPPING,
            where=where,
            changes={
                "reason": reason,
                "message": message or MESSAGES[reason],
                "exit_code": exit_code,
                "lease_until": None,
                "queued_at": timezone.now(),
            },
            data={"reason": reason.value},
        )
        if stopped is not None:
            transaction.on_commit(lambda: queue.destroy(session_id), robust=True)
    return stopped is not None


MESSAGES: dict[Reason, str] = {
    Reason.USER: "You ended this session.",
    Reason.EXPIRED: "The session's time was up.",
    Reason.IDLE: "Nothing was typed or run for a while.",
    Reason.QUOTA_CPU: "The CPU time that you have in 24 hours is used up.",
    Reason.QUOTA_DISK: "More was written to disk than the profile allows.",
    Reason.QUOTA_NETWORK: "More was sent and received than the profile allows.",
    Reason.OOM: "The machine ran out of memory.",
    Reason.EXITED: "The main process ended.",
    Reason.FAILED: "The session could not be started.",
    Reason.ENGINE_LOST: "The machine is gone: the host that ran it lost it.",
    Reason.ADMIN: "An administrator ended this session.",
}
"""What a person reads when nothing more exact is known."""


async def destroy(session_id: UUID) -> None:
    """Removes the machines of a stopping session, then ends it. Repeatable at every step; twice at once is harmless.

    While the engine is not there the session stays `stopping` until its deadline. Its machines stay `removing` until
    the engine has removed them, whatever becomes of the session.
    """
    machines = await in_database(_take)(session_id)
    if machines is None:
        return
    async with renewing(lambda: in_database(_renew)(session_id)):
        await asyncio.gather(*map(last_words.recorded, await in_database(_recorded)(session_id)))
        removed = [await remove_machine(machine_id) for machine_id in machines]
    await in_database(_finish)(session_id, all(removed))


def force_end(session_id: UUID) -> bool:
    """Ends it now, whatever state it is in, also while nothing works and the engine is gone; the reason is `admin`.

    Its machines are `removing` from then on: the sweep goes on with them for as long as it takes. False: it had ended.
    """
    with transaction.atomic():
        if not stop(session_id, Reason.ADMIN):
            words = {"reason": Reason.ADMIN, "message": MESSAGES[Reason.ADMIN]}
            Session.objects.filter(pk=session_id, state=SessionState.STOPPING).update(**words)
        for machine_id in Machine.objects.filter(session_id=session_id).values_list("pk", flat=True):
            machine_transition(machine_id, MachineState.REMOVING)
        return _end(session_id)


def end_overdue() -> None:
    """Ends sessions that have been `stopping` for too long, also when nobody can be asked to."""
    rows = Session.objects.filter(_overdue(), state=SessionState.STOPPING)
    for session_id in rows.values_list("pk", flat=True):
        with transaction.atomic():
            if _end(session_id, _overdue()):
                for machine_id in Machine.objects.filter(session_id=session_id).values_list("pk", flat=True):
                    machine_transition(machine_id, MachineState.REMOVING)


def _overdue() -> Q:
    return Q(state_changed_at__lt=timezone.now() - STOPPING_DEADLINE)


def _end(session_id: UUID, where: Q | None = None) -> bool:
    changes = {"ended_at": timezone.now(), "environment": {}, "lease_until": None}
    return transition(session_id, SessionState.ENDED, where=where, changes=changes) is not None


def _take(session_id: UUID) -> list[UUID] | None:
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = Session.objects.filter(free, pk=session_id, state=SessionState.STOPPING).update(lease_until=now + LEASE)
    if rows == 0:
        return None
    return list(
        Machine.objects.filter(session_id=session_id).exclude(state=MachineState.REMOVED).values_list("pk", flat=True)
    )


def _renew(session_id: UUID) -> None:
    Session.objects.filter(pk=session_id, state=SessionState.STOPPING).update(lease_until=timezone.now() + LEASE)


def _recorded(session_id: UUID) -> list[UUID]:
    """Machines that may have shown what is not recorded yet."""
    ready = Machine.objects.filter(session_id=session_id, terminals__is_kept=True, state=MachineState.READY)
    return list(ready.values_list("pk", flat=True).distinct())


def _finish(session_id: UUID, clean: bool) -> None:
    if not _end(session_id, None if clean else _overdue()):
        Session.objects.filter(pk=session_id, state=SessionState.STOPPING).update(lease_until=None)
