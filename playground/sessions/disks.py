"""The disk policy: warn, then freeze and end. A machine is looked at only when it may have written since."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from playground.database import in_database
from playground.engine import get_engine
from playground.sessions import pausing
from playground.sessions.ending import stop
from playground.sessions.events import record
from playground.sessions.limit_warnings import CALM_SHARE, WARN_SHARE, Nearness, percent, tell
from playground.sessions.metering import Metered
from playground.sessions.models import MachineUsage
from playground.sessions.requests import MAIN
from playground.sessions.states import STARTED, Reason
from playground.sessions.transitions import load
from playground.words import size
from runtime.errors import RuntimeFailure
from runtime.limits.usage import DiskUsage

log = structlog.get_logger(__name__)

BUDGET_SECONDS = 1.0
"""For all looks of one pass: what is not looked at comes first in the next."""
IDLE_CPU_SECONDS = 0.02
"""Nobody writes much with less CPU than this."""
LOOK_AHEAD_SECONDS = 4.0
"""A machine that would reach its limit within this long is looked at again at once."""
OVERSHOOT = 4
"""How far beyond the limit, as a factor, a frozen machine is measured."""
NEVER = datetime.min.replace(tzinfo=UTC)


def due(metered: Sequence[Metered]) -> list[Metered]:
    """Those that may hold more than when they were looked at last, the one that waited longest first. Before them,
    those that held too much then: whoever was to end them died.
    """
    waiting = [one for one in metered if one.row.disk_sampled_at is None or _is_over(one) or _has_worked(one.row)]
    return sorted(waiting, key=lambda one: (not _is_over(one), one.row.disk_sampled_at or NEVER))


def _is_over(one: Metered) -> bool:
    return one.row.disk_bytes > one.machine.profile.disk_bytes


def _has_worked(row: MachineUsage) -> bool:
    cpu, written = float(row.seen.get("disk_cpu", 0)), int(row.seen.get("disk_written", 0))
    return row.cpu_seconds - cpu > IDLE_CPU_SECONDS or row.written_bytes != written


async def look_at(metered: Sequence[Metered]) -> list[Metered]:
    """Measures them and acts; answers those that should be looked at again at once."""
    urgent, until = [], time.monotonic() + BUDGET_SECONDS
    for one in metered:
        if time.monotonic() > until:
            break
        row, limit = one.row, one.machine.profile.disk_bytes
        before, then = row.disk_bytes, row.disk_sampled_at
        try:
            found = await get_engine().disk_usage(row.pk.hex, limit)
        except RuntimeFailure as error:
            log.info("disk_not_measured", machine=row.pk.hex, error=type(error).__name__)
            continue
        if found is None:
            continue
        await in_database(_note)(one, found)
        if found.used_bytes > limit:
            await _freeze_and_end(one, found)
        elif then is None or _rate(row, before, then) * LOOK_AHEAD_SECONDS > limit - found.used_bytes:
            urgent.append(one)
    return urgent


def _rate(row: MachineUsage, before: int, then: datetime) -> float:
    """Bytes a second since it was looked at before."""
    seconds = ((row.disk_sampled_at or then) - then) / timedelta(seconds=1)
    return max(0, row.disk_bytes - before) / max(0.05, seconds)


def _note(one: Metered, found: DiskUsage) -> None:
    row, limit = one.row, one.machine.profile.disk_bytes
    row.disk_bytes, row.disk_files, row.disk_sampled_at = found.used_bytes, found.files, timezone.now()
    row.disk_peak_bytes = max(row.disk_peak_bytes, found.used_bytes)
    row.seen |= {"disk_cpu": row.cpu_seconds, "disk_written": row.written_bytes}
    row.disk_warned = found.used_bytes > limit * (CALM_SHARE if row.disk_warned else WARN_SHARE)
    with transaction.atomic():
        MachineUsage.objects.filter(pk=row.pk).update(
            **{name: getattr(row, name) for name in ("disk_bytes", "disk_files", "disk_sampled_at", "disk_peak_bytes")},
            disk_warned=row.disk_warned,
            seen=row.seen,
        )
        # Beyond the limit there is nothing left to warn of.
        if found.used_bytes <= limit:
            tell([_nearness(one)])


def _nearness(one: Metered) -> Nearness:
    used, limit, name = one.row.disk_bytes, one.machine.profile.disk_bytes, one.machine.name
    whose = "The disk" if name == MAIN else f"The disk of {name}"
    message = (
        f"{whose} is {percent(used, limit)} full: {size(used)} of {size(limit)}. "
        "When it is full, this session ends. Delete what you don't need."
    )
    figures: dict[str, object] = {"used_bytes": used, "limit_bytes": limit}
    return Nearness(one.machine.session_id, "disk", used, limit, message, name, figures)


async def _freeze_and_end(one: Metered, found: DiskUsage) -> None:
    """Paused, nothing more is written while it is measured to the end and removed. Else it is ended all the same:
    runtimes give up to freeze what waits for the disk, with cgroup v1. Who dies in between leaves it paused, and due.
    """
    machine = one.machine
    await pausing.halt(machine.session_id, machine.pk, _words(one, found))
    try:
        found = await get_engine().disk_usage(machine.pk.hex, machine.profile.disk_bytes * OVERSHOOT) or found
    except RuntimeFailure as error:
        log.info("disk_not_measured", machine=machine.pk.hex, error=type(error).__name__)
    await in_database(_end)(one, found)


def _end(one: Metered, found: DiskUsage) -> None:
    machine, row = one.machine, one.row
    with transaction.atomic():
        row.disk_peak_bytes = max(row.disk_peak_bytes, found.used_bytes)
        MachineUsage.objects.filter(pk=row.pk).update(disk_peak_bytes=row.disk_peak_bytes, disk_bytes=found.used_bytes)
        if stop(machine.session_id, Reason.QUOTA_DISK, _words(one, found), where=Q(state__in=STARTED)):
            over = {
                "machine": machine.name,
                "used_bytes": found.used_bytes,
                "limit_bytes": machine.profile.disk_bytes,
            }
            record(load(machine.session_id), "disk_full", over)


def _words(one: Metered, found: DiskUsage) -> str:
    held, limit = size(found.used_bytes), size(one.machine.profile.disk_bytes)
    return f"The machine held {held} on its disk; its profile allows {limit}."
