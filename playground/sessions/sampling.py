"""The sampler: reads what all machines use, adds it up, and acts where the kernel can't bound it by itself.

Every few seconds, by one worker at a time. Nothing is kept between two passes but in the database and the kernel: a
pass that is killed anywhere is made up for by the next one.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from playground.database import in_database
from playground.engine import get_engine
from playground.host import reports
from playground.sessions import disks, enforcing, metering
from playground.sessions.events import record
from playground.sessions.leases import alone
from playground.sessions.models import Machine, MachineUsage, Profile
from playground.sessions.states import MachineState, SessionState
from playground.sessions.transitions import load
from runtime.errors import RuntimeFailure
from runtime.limits.usage import Usage

log = structlog.get_logger(__name__)

READING_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.25
"""Between two looks at a machine that may fill its disk before the next pass."""
URGENT_SECONDS = 1.5
"""How long one pass goes on with those: the next one comes soon after."""
SAME_CORES = 0.005
SAMPLED = (SessionState.RUNNING, SessionState.PAUSED)


async def sample() -> bool:
    """One pass. False: another worker is at it."""
    async with alone("sample") as mine:
        if mine:
            await _pass()
        return mine


async def _pass() -> None:
    machines = await in_database(_machines)()
    if not machines:
        return
    began = timezone.now()
    try:
        async with asyncio.timeout(READING_SECONDS):
            readings = await get_engine().usage([machine.pk.hex for machine in machines])
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("machines_not_read", error=type(error).__name__)
        return
    metered = await in_database(_add_up)(machines, readings, began)
    for each in metered:
        await _limit_cpu(each)
    await in_database(enforcing.enforce)([each.row.machine for each in metered])
    await _look_at_disks([each.row for each in metered])


def _machines() -> list[Machine]:
    rows = Machine.objects.filter(state=MachineState.READY, session__state__in=SAMPLED).select_related("session")
    machines = list(rows.only("name", "profile_id", "session__owner_id", "session__egress"))
    # There are a few profiles and many machines: joined, each row would bring its own copy.
    profiles = Profile.objects.in_bulk({machine.profile_id for machine in machines})
    for machine in machines:
        machine.profile = profiles[machine.profile_id]
    return machines


def _add_up(machines: Sequence[Machine], readings: Mapping[str, Usage], now: datetime) -> list[metering.Metered]:
    """What was read from `now` on. All or nothing: what is added to a machine is added to its owner as well."""
    try:
        with transaction.atomic():
            metered = _meter(machines, readings, now)
            metering.write([one.row for one in metered])
            metering.charge(_charges(metered), now)
            for one in metered:
                _tell(one)
    except metering.Overtaken:
        log.info("pass_was_overtaken")
        return []
    return metered


def _meter(machines: Sequence[Machine], readings: Mapping[str, Usage], now: datetime) -> list[metering.Metered]:
    """Those machines that were read, and by nobody else since."""
    rows = {row.pk: row for row in MachineUsage.objects.filter(pk__in=[machine.pk for machine in machines])}
    may_limit = not reports.lacking(["cpu_limit"], reports.report())
    metered = []
    for machine in machines:
        usage = readings.get(machine.pk.hex)
        row = rows.get(machine.pk) or MachineUsage(machine=machine, sampled_at=now)
        if usage is None or row.sampled_at > now:
            continue
        row.machine = machine
        metered.append(metering.meter(row, usage, machine, now, may_limit=may_limit))
    return metered


def _charges(metered: Sequence[metering.Metered]) -> Mapping[int, metering.Charge]:
    """By owner."""
    found: defaultdict[int, metering.Charge] = defaultdict(metering.Charge)
    for one in metered:
        if (session := one.row.machine.session) is not None:
            found[session.owner_id].cpu_seconds += one.cpu_seconds
            found[session.owner_id].egress_bytes += one.sent_bytes
    return found


def _tell(one: metering.Metered) -> None:
    machine = one.row.machine
    if one.oom_kills and machine.session_id:
        record(load(machine.session_id), "oom_kill", {"machine": machine.name, "processes": one.oom_kills})


async def _limit_cpu(one: metering.Metered) -> None:
    if abs(one.wanted_cores - one.cores) < SAME_CORES:
        return
    try:
        await get_engine().limit_cpu(one.row.pk.hex, one.wanted_cores)
    except RuntimeFailure as error:
        log.info("cpu_not_limited", machine=one.row.pk.hex, error=type(error).__name__)
    else:
        await in_database(_note_limit)(one)


def _note_limit(one: metering.Metered) -> None:
    machine, slowed = one.row.machine, one.wanted_cores < one.cores
    with transaction.atomic():
        MachineUsage.objects.filter(pk=one.row.pk).update(cpu_limit=one.wanted_cores)
        if machine.session_id:
            kind = "cpu_slowed" if slowed else "cpu_restored"
            record(load(machine.session_id), kind, {"machine": machine.name, "cores": one.wanted_cores})


async def _look_at_disks(rows: Sequence[MachineUsage]) -> None:
    """Those that may have written; and those that fill up fast, again and again until the next pass is due."""
    until = time.monotonic() + URGENT_SECONDS
    urgent = await disks.look_at(disks.due(rows))
    while urgent and time.monotonic() < until:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        urgent = await disks.look_at(urgent)
