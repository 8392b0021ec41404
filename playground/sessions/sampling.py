"""The sampler: reads what all machines use, adds it up, and acts where the kernel can't bound it by itself.

Every few seconds, by one worker at a time. Nothing is kept between two passes but in the database and the kernel: a
pass that is killed anywhere is made up for by the next one.
"""

import asyncio
import time
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
from playground.sessions.models import Machine, MachineUsage
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
    try:
        async with asyncio.timeout(READING_SECONDS):
            readings = await get_engine().usage([machine.pk.hex for machine in machines])
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("machines_not_read", error=type(error).__name__)
        return
    metered = await in_database(_add_up)(machines, readings, timezone.now())
    for each in metered:
        await _limit_cpu(each)
    await in_database(enforcing.enforce)([each.row.machine for each in metered])
    await _look_at_disks([each.row for each in metered])


def _machines() -> list[Machine]:
    rows = Machine.objects.filter(state=MachineState.READY, session__state__in=SAMPLED)
    return list(rows.select_related("session", "profile"))


def _add_up(machines: Sequence[Machine], readings: Mapping[str, Usage], now: datetime) -> list[metering.Metered]:
    """All or nothing: what is added to a machine is added to its owner as well."""
    with transaction.atomic():
        rows = {row.pk: row for row in MachineUsage.objects.filter(pk__in=[machine.pk for machine in machines])}
        may_limit = not reports.lacking(["cpu_limit"])
        counted: dict[int, list[metering.Metered]] = {}
        for machine in machines:
            usage = readings.get(machine.pk.hex)
            if usage is None or machine.session is None:
                continue
            row = rows.get(machine.pk) or MachineUsage(machine=machine, sampled_at=now)
            row.machine = machine
            one = metering.meter(row, usage, machine, now, may_limit=may_limit)
            if metering.write(row):
                counted.setdefault(machine.session.owner_id, []).append(one)
                _tell(one)
        for owner_id, ones in counted.items():
            metering.charge(owner_id, now, sum(one.cpu_seconds for one in ones), sum(one.sent_bytes for one in ones))
    return [one for ones in counted.values() for one in ones]


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
