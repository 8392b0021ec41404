"""The sweep: compares the database with the engine, both ways, and both with the clock. The only truth about cleanup.

Every few seconds, by one worker at a time. Each finding is acted on by compare-and-set, so a sweep that is killed, or
late, or doubled does no harm. While the engine does not answer, nothing that it runs is declared lost.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.db.models import Q

from playground.database import in_database
from playground.engine import get_engine
from playground.host.probing import probe_machine
from playground.sessions import deadlines, pausing
from playground.sessions.ending import stop
from playground.sessions.leases import alone, has_lapsed, note
from playground.sessions.leftovers import ownerless
from playground.sessions.models import Machine, Terminal
from playground.sessions.removal import discard, remove_from_engine, remove_machine
from playground.sessions.states import STARTED, MachineState, Reason
from runtime.engines.base import Belonging, MachineStatus
from runtime.engines.base import MachineState as EngineState
from runtime.errors import RuntimeFailure

log = structlog.get_logger(__name__)

DEADLINE_STATUS = 124
LISTING_SECONDS = 20
SWEPT = "swept"
SWEPT_FOR = timedelta(seconds=8)
"""A sweep that began so long ago was the last one that beat asked for: it does every 5 s."""
AT_ONCE = 4
"""Removals at a time: engines get slow when they are asked for many."""


async def sweep() -> bool:
    """One sweep. False: another worker sweeps just now."""
    async with alone("sweep") as mine:
        if mine:
            await in_database(note)(SWEPT, SWEPT_FOR)
            await in_database(deadlines.enforce)()
            await _compare_with_engine()
        return mine


def is_due() -> bool:
    """Whether nobody has swept lately: beat, or the broker between it and the workers, is dead."""
    return has_lapsed(SWEPT)


async def _compare_with_engine() -> None:
    # In this order: a machine has its row before the engine knows it, and the engine knows it before its row is ready.
    ready = await in_database(_ready_machines)()
    await _mend()
    try:
        async with asyncio.timeout(LISTING_SECONDS):
            listed = {UUID(hex=status.machine_id): status for status in await get_engine().machines()}
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("engine_not_swept", error=type(error).__name__)
        return
    known, going = await in_database(_known_machines)()
    probing = await in_database(probe_machine)()
    leaks = [machine_id for machine_id in listed if machine_id not in known and machine_id != probing]
    if leaks:
        log.warning("leaked_machines", machines=[machine_id.hex for machine_id in leaks])
    gone = [machine_id for machine_id in ready if _has_ended(listed.get(machine_id))]
    unsettled = await in_database(pausing.unsettled)(listed)
    await few_at_once(
        [
            *(remove_from_engine(machine_id.hex) for machine_id in leaks),
            *(remove_machine(machine_id) for machine_id in going),
            *(check_machine(machine_id.hex) for machine_id in gone),
            *(discard(belonging) for belonging in await _ownerless()),
            *(pausing.settle(session_id) for session_id in unsettled),
        ]
    )


async def _mend() -> None:
    try:
        async with asyncio.timeout(LISTING_SECONDS):
            await get_engine().mend()
    except (RuntimeFailure, TimeoutError) as error:
        log.error("networks_not_mended", error=type(error).__name__)


async def _ownerless() -> list[Belonging]:
    try:
        async with asyncio.timeout(LISTING_SECONDS):
            found = await ownerless()
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("belongings_not_swept", error=type(error).__name__)
        return []
    if found:
        log.warning("leaked_belongings", names=[each.name for each in found])
    return found


async def check_machine(machine_id: str) -> None:
    """Looks at one machine that should be there; when it has ended, so does its session. Raises nothing.

    Called when a listing or the engine's events say that it may have ended: both may be out of date, so it asks again.
    """
    machine = await in_database(_ready_machine)(machine_id)
    if machine is None:
        return
    try:
        status = await get_engine().status(machine_id)
    except RuntimeFailure:
        return
    if not _has_ended(status):
        return
    # Without it a pool goes on, and so does a session that has claimed it and has not started yet: it gets another one.
    if machine.session_id is None or not await in_database(_end_session)(machine, machine.session_id, status):
        await remove_machine(machine.pk)


def _has_ended(status: MachineStatus | None) -> bool:
    return status is None or status.state == EngineState.EXITED


def _end_session(machine: Machine, session_id: UUID, status: MachineStatus | None) -> bool:
    reason, message = why_ended(status, has_main=Terminal.objects.filter(machine=machine, is_main=True).exists())
    exit_code = status.exit_code if status else None
    return stop(session_id, reason, message, where=Q(state__in=STARTED), exit_code=exit_code)


def why_ended(status: MachineStatus | None, *, has_main: bool) -> tuple[Reason, str]:
    """The reason, and a message where the reason's own says too little, for a machine that is gone or has exited."""
    if status is None:
        return Reason.ENGINE_LOST, ""
    if status.oom_killed:
        return Reason.OOM, ""
    if status.exit_code == DEADLINE_STATUS:
        return Reason.EXPIRED, ""
    if has_main:
        return Reason.EXITED, f"The main process ended with status {status.exit_code}."
    # Without a main process nothing inside ends a machine: somebody on the host did.
    return Reason.ENGINE_LOST, f"The machine was ended on its host (status {status.exit_code})."


def _ready_machines() -> list[UUID]:
    return list(Machine.objects.filter(state=MachineState.READY).values_list("pk", flat=True))


def _ready_machine(machine_id: str) -> Machine | None:
    return Machine.objects.filter(pk=UUID(hex=machine_id), state=MachineState.READY).first()


def _known_machines() -> tuple[set[UUID], list[UUID]]:
    """All machines that may be on the engine, and those of them that should go."""
    rows = Machine.objects.exclude(state=MachineState.REMOVED).values_list("pk", flat=True)
    return set(rows), list(deadlines.overdue_machines().values_list("pk", flat=True))


async def few_at_once(coroutines: Sequence[Coroutine[object, object, object]]) -> None:
    """Runs them, `AT_ONCE` at a time. A defect in one is logged and stops no other."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(coroutine: Coroutine[object, object, object]) -> None:
        async with places:
            await coroutine

    results: Iterable[object] = await asyncio.gather(*(one(each) for each in coroutines), return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            log.error("sweep_step_failed", exc_info=result)
