"""Pausing a session and letting it go on. The row says what is wanted; `settle` makes the engine agree with it.

Whoever changes the row settles it, in the request; should that fail or die, the sweep does, at every pass. A paused
machine uses no CPU and keeps its memory. So its idle clock stops, and its lifetime goes on: a paused session that is
forgotten gives its memory back when its time is up. sandboxd is frozen too and can't keep its own deadline: that end is
the sweep's alone. Should everything of ours be dead by then, the machine stays as it is, doing nothing, until the
first sweep of the next start ends it.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from playground.database import in_database
from playground.engine import get_engine
from playground.host import reports
from playground.sessions.errors import SessionNotRunning
from playground.sessions.making import DEADLINE_MARGIN, tell_deadline
from playground.sessions.models import Machine, Session
from playground.sessions.states import STARTED, MachineState, SessionState
from playground.sessions.transitions import load, transition
from runtime.engines.base import MachineState as EngineState
from runtime.engines.base import MachineStatus
from runtime.errors import CapabilityUnavailable, RuntimeFailure

log = structlog.get_logger(__name__)

SETTLE_SECONDS = 5.0
"""How long a request waits until the engine has done it."""
TELL_SECONDS = 2.0


def _lacks_pause() -> bool:
    return bool(reports.lacking(["pause"], reports.report()))


async def pause(session_id: UUID, message: str = "") -> Session:
    """Stops everything in the session where it is. Paused already is success. `message` says why, where that is news.

    Raises SessionNotRunning, CapabilityUnavailable, EngineUnavailable. What the engine can't do now, the sweep repeats.
    """
    if await in_database(_lacks_pause)():
        raise CapabilityUnavailable("This host can't pause machines.")
    await get_engine().ping()
    paused = await in_database(_move)(session_id, SessionState.PAUSED, {"message": message, "warned_idle": ""})
    await settle(session_id)
    return paused


async def resume(session_id: UUID) -> Session:
    """Lets a paused session go on, and its idle time begin anew. Running already is success. Raises SessionNotRunning.

    What the engine can't do now, the sweep repeats; until then the session is `running`, and silent.
    """
    running = await in_database(_move)(
        session_id, SessionState.RUNNING, {"message": "", "last_activity_at": timezone.now()}
    )
    await settle(session_id)
    return running


async def halt(session_id: UUID, machine_id: UUID, message: str) -> None:
    """Pauses a session that is to be ended for what this machine does. Raises nothing: where that fails, it is ended
    all the same, and what is paused meanwhile stays so, whoever dies.

    sandboxd is not told, and other machines are not frozen: every moment counts, and it is the last one.
    """
    if await in_database(_lacks_pause)():
        return
    try:
        await in_database(_move)(session_id, SessionState.PAUSED, {"message": message, "warned_idle": ""})
        await get_engine().pause(machine_id.hex)
    except SessionNotRunning:
        return
    except RuntimeFailure as error:
        log.info("machine_not_frozen", machine=machine_id.hex, error=type(error).__name__)


def _move(session_id: UUID, target: SessionState, changes: Mapping[str, object]) -> Session:
    source = SessionState.RUNNING if target == SessionState.PAUSED else SessionState.PAUSED
    resumed = target == SessionState.RUNNING
    data: dict[str, object] = {"resumed": True} if resumed else {"message": changes["message"]}
    moved = transition(session_id, target, where=Q(state=source), changes=changes, data=data)
    if moved is not None:
        return moved
    session = load(session_id)
    if session.state != target:
        raise SessionNotRunning("The session is not running.")
    return session


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How a session's machines should be."""

    paused: bool
    deadline: datetime
    """When they end by themselves. Of a paused one, as late as it can be: extended meanwhile and woken up, sandboxd
    must not find that its time was over long ago."""
    machines: tuple[UUID, ...]


async def settle(session_id: UUID) -> None:
    """Freezes or thaws the session's machines as its row says, until both agree. Raises nothing: the sweep goes on."""
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            wanted = await in_database(_wanted)(session_id)
            while wanted is not None:
                for machine_id in wanted.machines:
                    await (_freeze if wanted.paused else _thaw)(machine_id, wanted.deadline)
                # Who resumed it meanwhile may have been done before we froze it.
                before, wanted = wanted, await in_database(_wanted)(session_id)
                if wanted == before:
                    return
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("not_settled", session=session_id.hex, error=type(error).__name__)


def _wanted(session_id: UUID) -> _Wanted | None:
    session = Session.objects.select_related("profile").filter(pk=session_id, state__in=STARTED).first()
    if session is None or session.expires_at is None or session.started_at is None:
        return None
    paused = session.state == SessionState.PAUSED
    latest = session.started_at + timedelta(seconds=session.profile.max_lifetime_seconds)
    machines = Machine.objects.filter(session_id=session_id, state=MachineState.READY)
    return _Wanted(
        paused=paused,
        deadline=(max(latest, session.expires_at) if paused else session.expires_at) + DEADLINE_MARGIN,
        machines=tuple(machines.values_list("pk", flat=True)),
    )


async def _freeze(machine_id: UUID, deadline: datetime) -> None:
    status = await get_engine().status(machine_id.hex)
    if status is None or status.state != EngineState.RUNNING:
        return
    # A machine that is too busy to listen is stopped all the same.
    await _tell(machine_id, deadline)
    await get_engine().pause(machine_id.hex)


async def _thaw(machine_id: UUID, deadline: datetime) -> None:
    status = await get_engine().status(machine_id.hex)
    if status is None or status.state != EngineState.PAUSED:
        return
    await get_engine().resume(machine_id.hex)
    await _tell(machine_id, deadline)


async def _tell(machine_id: UUID, deadline: datetime) -> None:
    """Tells sandboxd its deadline. What fails is repeated by the sweep, once the machine runs."""
    seconds = max(1, int((deadline - timezone.now()).total_seconds()))
    with contextlib.suppress(RuntimeFailure, TimeoutError):
        async with asyncio.timeout(TELL_SECONDS):
            await tell_deadline(machine_id, seconds)
        await in_database(Machine.objects.filter(pk=machine_id).update)(deadline_at=deadline)


def unsettled(listed: Mapping[UUID, MachineStatus]) -> list[UUID]:
    """Sessions that are paused in their row and run on the engine, or the other way round."""
    ready = Machine.objects.filter(state=MachineState.READY, session__state__in=STARTED)
    rows = ready.values_list("pk", "session_id", "session__state")
    contrary = {SessionState.RUNNING.value: EngineState.PAUSED, SessionState.PAUSED.value: EngineState.RUNNING}
    return [
        session_id
        for machine_id, session_id, state in rows
        if session_id and machine_id in listed and listed[machine_id].state == contrary[state]
    ]
