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
from playground.sessions import disks, enforcing, metering, sampled
from playground.sessions.events import record
from playground.sessions.leases import alone
from playground.sessions.models import MachineUsage
from playground.sessions.sampled import Sampled
from playground.sessions.states import MachineState
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


async def sample() -> bool:
    """One pass. False: another worker is at it."""
    async with alone("sample") as mine:
        if mine:
            await _pass()
        return mine


async def _pass() -> None:
    machines = await in_database(sampled.machines)()
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
        if abs(each.wanted_cores - each.cores) >= SAME_CORES:
            await _limit_cpu(each)
    await in_database(enforcing.enforce)([each.machine for each in metered])
    await _look_at_disks(metered)


def _add_up(machines: Sequence[Sampled], readings: Mapping[str, Usage], now: datetime) -> list[metering.Metered]:
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


def _meter(machines: Sequence[Sampled], readings: Mapping[str, Usage], now: datetime) -> list[metering.Metered]:
    """Those machines that were read, and by nobody else since."""
    of_ready = MachineUsage.objects.filter(machine__state=MachineState.READY, machine__session__isnull=False)
    rows = {row.pk: row for row in of_ready}
    may_limit = not reports.lacking(["cpu_limit"], reports.report())
    metered = []
    for machine in machines:
        usage = readings.get(machine.pk.hex)
        row = rows.get(machine.pk)
        if row is None and machine.is_new:
            row = MachineUsage(machine_id=machine.pk, sampled_at=now)
        if usage is None or row is None or row.sampled_at > now:
            continue
        metered.append(metering.meter(row, usage, machine, now, may_limit=may_limit))
    return metered


def _charges(metered: Sequence[metering.Metered]) -> Mapping[int, metering.Charge]:
    """By owner."""
    found: defaultdict[int, metering.Charge] = defaultdict(metering.Charge)
    for one in metered:
        charge = found[one.machine.owner_id]
        charge.cpu_seconds += one.cpu_seconds
        charge.egress_bytes += one.sent_bytes
    return found


def _tell(one: metering.Metered) -> None:
    if one.oom_kills:
        data = {"machine": one.machine.name, "processes": one.oom_kills}
        record(load(one.machine.session_id), "oom_kill", data)


async def _limit_cpu(one: metering.Metered) -> None:
    try:
        await get_engine().limit_cpu(one.machine.pk.hex, one.wanted_cores)
    except RuntimeFailure as error:
        log.info("cpu_not_limited", machine=one.machine.pk.hex, error=type(error).__name__)
    else:
        await in_database(_note_limit)(one)


def _note_limit(one: metering.Metered) -> None:
    machine, kind = one.machine, "cpu_slowed" if one.wanted_cores < one.cores else "cpu_restored"
    with transaction.atomic():
        MachineUsage.objects.filter(pk=machine.pk).update(cpu_limit=one.wanted_cores)
        record(load(machine.session_id), kind, {"machine": machine.name, "cores": one.wanted_cores})


async def _look_at_disks(metered: Sequence[metering.Metered]) -> None:
    """Those that may have written; and those that fill up fast, again and again until the next pass is due."""
    until = time.monotonic() + URGENT_SECONDS
    urgent = await disks.look_at(disks.due(metered))
    while urgent and time.monotonic() < until:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        urgent = await disks.look_at(urgent)
