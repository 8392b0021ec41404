"""Keeping the pools full: one filler per image at a time, over all workers."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from playground.database import in_database
from playground.host import reports
from playground.host.models import HostReport
from playground.images import services as images
from playground.images.models import Image, ImageState
from playground.sessions import pools, slots
from playground.sessions.leases import alone
from playground.sessions.making import insert_machine, make_machine, processes_of
from playground.sessions.models import LIVE_MACHINE_STATES, Machine, Profile, Session, Terminal
from playground.sessions.names import free_hostname
from playground.sessions.offers import refusal
from playground.sessions.profiles import fingerprint
from playground.sessions.removal import remove_machine
from playground.sessions.room import room
from playground.sessions.states import MachineState, SessionState
from playground.sessions.transitions import machine_transition
from playground.sessions.waiting import waiting
from runtime.errors import ImageUnavailable, RuntimeFailure

log = structlog.get_logger(__name__)

AT_ONCE = 2
"""Machines of one pool that are made at a time: engines get slow when they are asked for many."""
REST = timedelta(seconds=0.5)
"""So long nobody has got a session: who has just got one reads its first prompt, and a filler takes a whole core."""
MOST_PATIENCE = 3.0
"""Seconds; then a pool is filled although people come all the time."""
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Plan:
    outdated: list[UUID]
    new: list[Machine]


async def fill(slug: str) -> None:
    """Brings an image's pool to its size: removes what is out of date or too much, makes what is missing.

    Does nothing while another worker fills it. Waits a little when people come just now. Stops at the first machine
    that can't be made, where there is no room, and while somebody waits for a machine; the next round goes on.
    """
    async with alone(f"pool:{slug}") as mine:
        if mine:
            await _rest()
        while mine:
            with slots.several(AT_ONCE, spare=slots.FOR_SESSIONS) as places:
                plan = await in_database(_plan)(slug, places)
                await asyncio.gather(*(remove_machine(machine_id) for machine_id in plan.outdated))
                made = await asyncio.gather(*(_make(machine) for machine in plan.new))
            if not plan.new or not all(made):
                break


async def _rest() -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + MOST_PATIENCE
    while await in_database(_is_rush)() and loop.time() < until:  # noqa: ASYNC110 - the database has no event for it
        await asyncio.sleep(LOOK_SECONDS)


def _is_rush() -> bool:
    return Session.objects.filter(state=SessionState.RUNNING, state_changed_at__gt=timezone.now() - REST).exists()


def _plan(slug: str, places: int) -> _Plan:
    """What to remove, and the rows, already written, of what to make now: `places` at most, and none in the way."""
    with slots.deciding():
        return _decide(slug, 0 if waiting().exists() else places)


def _decide(slug: str, places: int) -> _Plan:
    image = Image.objects.get(pk=slug)
    profile = Profile.objects.filter(is_default=True).first()
    machines = list(Machine.objects.filter(image=image, session__isnull=True, state__in=LIVE_MACHINE_STATES))
    found = reports.report()
    size = image.pool_size if profile and _may_have_pool(image, profile, found) else 0
    # Whoever fills is alone and has none half made at this moment: those are of one that died.
    whole = [machine for machine in machines if machine.state == MachineState.READY]
    current = [machine for machine in whole if profile and _is_current(machine, image, profile, found)]
    kept = {machine.pk for machine in current[-size:]} if size else set()
    outdated = [machine.pk for machine in machines if machine.pk not in kept and _retire(machine.pk)]
    new = []
    if profile:
        missing = min(size - len(kept), places, room().how_many(profile.memory_bytes))
        new = [insert_machine(image, profile, free_hostname(), pools.DEADLINE) for _ in range(missing)]
    return _Plan(outdated, new)


def _may_have_pool(image: Image, profile: Profile, found: HostReport | None) -> bool:
    """Not where every session of the default profile is refused: nobody could claim its machines."""
    return image.enabled and image.state == ImageState.READY and not refusal(profile, found)


def _is_current(machine: Machine, image: Image, profile: Profile, found: HostReport | None) -> bool:
    young = machine.created_at > timezone.now() - pools.MAX_AGE
    return young and machine.profile_id == profile.pk and machine.fingerprint == fingerprint(image, profile, found)


def _retire(machine_id: UUID) -> bool:
    """Takes it out of the pool, unless somebody claims it first."""
    return machine_transition(machine_id, MachineState.REMOVING, where=Q(session__isnull=True))


async def _make(machine: Machine) -> bool:
    try:
        terminals = await make_machine(machine, processes_of(machine.image))
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("pool_machine_not_made", image=machine.image_id, error=type(error).__name__)
        await remove_machine(machine.pk)
        if isinstance(error, ImageUnavailable):
            await in_database(images.lost)(machine.image_id)
        return False
    except BaseException:
        await remove_machine(machine.pk)
        raise
    if not await in_database(_ready)(machine, terminals):
        await remove_machine(machine.pk)
        return False
    return True


def _ready(machine: Machine, terminals: list[Terminal]) -> bool:
    with transaction.atomic():
        Terminal.objects.bulk_create(terminals)
        ready = machine_transition(machine.pk, MachineState.READY)
        if not ready:
            transaction.set_rollback(True)
    return ready


def pools_to_fill() -> list[str]:
    """Images whose pool may need something."""
    wanted = Q(pool_size__gt=0, enabled=True, state=ImageState.READY)
    held = Q(machines__session__isnull=True, machines__state__in=LIVE_MACHINE_STATES)
    slugs = Image.objects.filter(wanted | held).values_list("pk", flat=True).distinct()
    return list(slugs)
