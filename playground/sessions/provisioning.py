"""From `pending` to `running`. A worker may be killed anywhere here: the lease lapses and the next one begins anew."""

import asyncio
import threading
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from playground import background
from playground.database import in_database
from playground.host import reports
from playground.images import services as images
from playground.images.models import Image, ImageState
from playground.sessions import attempts, placing, pools, queue, slots
from playground.sessions.ending import stop
from playground.sessions.enforceable import check_still
from playground.sessions.events import record
from playground.sessions.leases import renewing
from playground.sessions.making import (
    Process,
    deadline_seconds,
    keep_output,
    make_machine,
    processes_of,
    tell_deadline,
)
from playground.sessions.models import Machine, Session, Terminal
from playground.sessions.removal import remove_machine
from playground.sessions.states import UNSTARTED, MachineState, Reason, SessionState
from playground.sessions.transitions import load, machine_transition, transition
from runtime.errors import CommandFailed, EngineUnavailable, ImageUnavailable, RuntimeFailure

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 5
CLAIM_SECONDS = 3.0
"""A pool machine that has not answered by then is taken for dead."""


async def start_claimed(session_id: UUID) -> Session | None:
    """Moves a session whose pool machine answers to `running`; a machine that does not answer is replaced by the next.

    None: it has none, the engine is not there, or somebody else was faster. Never raises for what the engine does.
    """
    machine = await in_database(pools.claimed_machine)(session_id)
    return await _start_on(session_id, machine)


async def start_just_claimed(session: Session, machine: Machine) -> Session | None:
    """`start_claimed` for who has claimed that machine a moment ago, when all that the session needs was checked."""
    machine.session = session
    return await _start_on(session.pk, machine, is_checked=True)


async def _start_on(session_id: UUID, machine: Machine | None, *, is_checked: bool = False) -> Session | None:
    while machine is not None:
        try:
            return await _adopt(session_id, machine, is_checked)
        except EngineUnavailable:
            return None
        except (RuntimeFailure, TimeoutError) as error:
            log.warning("pool_machine_dead", machine=machine.pk.hex, error=type(error).__name__)
            machine, is_checked = await in_database(_next_machine)(session_id, machine.pk), False
    return None


async def _adopt(session_id: UUID, machine: Machine, is_checked: bool) -> Session | None:
    session = machine.session
    if session is None or session.pk != session_id:
        return None
    async with asyncio.timeout(CLAIM_SECONDS):
        await tell_deadline(machine.pk, deadline_seconds(session))
        if session.is_recorded:
            await keep_output(machine.pk)
    return await in_database(_run_claimed)(session, machine.pk, is_checked)


def _run_claimed(claimed: Session, machine_id: UUID, is_checked: bool) -> Session | None:
    if not is_checked:
        # It may have been claimed long ago, before the engine was away.
        check_still(claimed)
    with transaction.atomic():
        session = transition(
            claimed.pk,
            SessionState.RUNNING,
            where=Q(state__in=UNSTARTED),
            changes=_running_since_now(claimed),
            data={"claimed": True},
        )
        if session and not any(machine.pk == machine_id and machine.is_live for machine in session.machines.all()):
            # Somebody found it dead meanwhile, and starts the session with another one.
            transaction.set_rollback(True)
            return None
        if claimed.is_recorded:
            Terminal.objects.filter(machine_id=machine_id).update(is_kept=True)
    return session


def _running_since_now(session: Session) -> dict[str, object]:
    now = timezone.now()
    return {
        "started_at": now,
        "last_activity_at": now,
        "expires_at": now + timedelta(seconds=session.lifetime_seconds),
        "lease_until": None,
        "message": "",
    }


def _next_machine(session_id: UUID, dead: UUID) -> Machine | None:
    """Drops the dead machine of an unstarted session and claims another for it, if there is one."""
    with transaction.atomic():
        # Locked, so that nobody moves it to `running` with the machine that goes.
        session = Session.objects.select_for_update().select_related("image", "profile").get(pk=session_id)
        if session.state not in UNSTARTED or not machine_transition(dead, MachineState.REMOVING):
            return None
        queue.refill_on_commit(session.image_id)
        claimed = pools.claim(session, deadline_seconds(session), reports.report())
        return pools.claimed_machine(session_id) if claimed else None


async def provision(session_id: UUID) -> None:
    """Gives an unstarted session its machine and moves it to `running`, ends it with a reason, or leaves it for later.

    Does nothing while somebody else works on it, or when it has ended meanwhile. Safe to repeat after any crash.
    """
    if await attend(session_id):
        await work()


async def attend(session_id: UUID) -> bool:
    """Starts it with the machine that it has claimed, or sees to its image. True: it waits for a machine."""
    if not await in_database(_ready_to_start)(session_id):
        return False
    return await start_claimed(session_id) is None


async def work() -> None:
    """Makes machines for those whose turn it is, while this host has a free slot and somebody can be served."""
    made = False
    while await _work_in_a_slot():
        # Whoever found no slot just before this one was given back has left: so look again.
        made = True
    if made:
        await in_database(queue.refill_all)()


async def _work_in_a_slot() -> bool:
    """Whether anything was done."""
    done = False
    with slots.slot() as free:
        while free and not _closing.is_set() and (found := await in_database(placing.begin_next)()) is not None:
            done = True
            await in_database(placing.tell_waiting)()
            if isinstance(found, placing.Begun):
                await _begin(found)
            else:
                await asyncio.gather(*(remove_machine(machine_id) for machine_id in found))
    return done


async def _begin(begun: placing.Begun) -> None:
    async with renewing(lambda: in_database(attempts.renew)(begun.session_id, begun.token)):
        await _make(begun.machines, begun.session_id, begun.token)


_closing = threading.Event()
_working: set[Future[None]] = set()


def begin_to_work() -> None:
    """`work` on the background loop; whoever asks does not wait for it."""
    working = background.submit(work())
    _working.add(working)
    working.add_done_callback(_worked)


def _worked(working: Future[None]) -> None:
    _working.discard(working)
    if not working.cancelled() and (error := working.exception()) is not None:
        log.error("work_failed", exc_info=error)


def finish(seconds: float) -> None:
    """Begins nothing any more, and waits so long for what is being made. What is not done then, another worker does."""
    _closing.set()
    wait(list(_working), timeout=seconds)


def _ready_to_start(session_id: UUID) -> bool:
    """Whether it is time to make its machines. Waits for their images, and ends the session when one will not be."""
    session = Session.objects.select_related("image").filter(pk=session_id, state__in=UNSTARTED).first()
    if session is None:
        return False
    others = [planned.image for planned in session.planned.select_related("image")]
    # All of them are wanted, also when the first is not there yet.
    present = [_has_image(session, image) for image in {each.pk: each for each in (session.image, *others)}.values()]
    return all(present)


def _has_image(session: Session, image: Image) -> bool:
    if image.state == ImageState.READY:
        return True
    if image.state == ImageState.FAILED and not images.retry_due(image):
        stop(session.pk, Reason.FAILED, f"The image could not be prepared: {image.message}")
        return False
    images.want(image)
    images.tell_waiting(image)
    return False


async def _make(machines: list[Machine], session_id: UUID, token: int) -> None:
    try:
        terminals = await _make_all(machines)
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("machine_not_made", session=session_id.hex, error=type(error).__name__, attempt=token)
        await _remove_all(machines)
        await in_database(_failed)(machines, token, error)
        return
    except BaseException:
        # A defect of ours, or the process ends: the lease lapses and the session is tried again.
        await _remove_all(machines)
        raise
    if not await in_database(_run_made)(machines, token, terminals):
        await _remove_all(machines)


async def _make_all(machines: list[Machine]) -> list[Terminal]:
    """The main machine first: it brings the network that the others are on. All have ended when one has failed."""
    main, *others = machines
    assert main.session is not None
    await in_database(check_still)(main.session, together=bool(others))
    network_id = main.pk.hex if others else None
    terminals = await make_machine(main, processes_of(main.image, main.session), network_id)
    work = (make_machine(other, _processes_of_other(other), network_id) for other in others)
    made = await asyncio.gather(*work, return_exceptions=True)
    for found in made:
        if isinstance(found, BaseException):
            raise found
        terminals += found
    return terminals


def _processes_of_other(machine: Machine) -> list[Process]:
    """Its image's own. The session's command is the main machine's, and so is what ends the session."""
    session = machine.session
    environment, kept = (session.environment, session.is_recorded) if session else ({}, False)
    return [replace(process, environment=environment, kept=kept) for process in processes_of(machine.image)]


async def _remove_all(machines: list[Machine]) -> None:
    await asyncio.gather(*(remove_machine(machine.pk) for machine in machines))


def _run_made(machines: list[Machine], token: int, terminals: list[Terminal]) -> bool:
    session = machines[0].session
    if session is None:
        return False
    with transaction.atomic():
        if not all(machine_transition(machine.pk, MachineState.READY) for machine in machines):
            transaction.set_rollback(True)
            return False
        Terminal.objects.bulk_create(terminals)
        running = transition(
            session.pk,
            SessionState.RUNNING,
            where=Q(state=SessionState.STARTING, attempts=token),
            changes=_running_since_now(session),
            data={"claimed": False},
        )
        if running is None:
            # Ended meanwhile, or another worker took over.
            transaction.set_rollback(True)
    return running is not None


def _failed(machines: list[Machine], token: int, error: RuntimeFailure | TimeoutError) -> None:
    """Decides what becomes of a session whose machines could not be made: another attempt, or the end."""
    session = machines[0].session
    if session is None:
        return
    session_id = session.pk
    if isinstance(error, ImageUnavailable):
        for image_id in {machine.image_id for machine in machines}:
            images.lost(image_id)
    retryable = isinstance(error, TimeoutError | ImageUnavailable) or error.retryable
    if not retryable or token >= MAX_ATTEMPTS:
        held = Q(state=SessionState.STARTING, attempts=token)
        stop(session_id, Reason.FAILED, _last_words(session, error), where=held)
        return
    with transaction.atomic():
        later = timezone.now() + timedelta(seconds=2 ** (token - 1))
        rows = attempts.held(session_id, token).update(
            lease_until=later, queued_at=timezone.now(), message=_TRYING_AGAIN
        )
        if rows:
            record(load(session_id), "retry", {"attempt": token, "code": _code(error)})


_TRYING_AGAIN = "The machine could not be created yet; trying again"


def _last_words(session: Session, error: RuntimeFailure | TimeoutError) -> str:
    words = str(error) or "The machine could not be created in time."
    if isinstance(error, CommandFailed) and session.command:
        return f"{words} It was asked for: {session.command[0][:200]}"
    return words


def _code(error: RuntimeFailure | TimeoutError) -> str:
    return error.code if isinstance(error, RuntimeFailure) else "timeout"
