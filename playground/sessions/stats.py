"""What a session uses against what it may: read from the last sample of its machines. For the API and for pages."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypedDict
from uuid import UUID

from django.db.models import F, Sum

from playground.sessions.models import Machine, MachineUsage, Session
from playground.sessions.public import instant
from playground.sessions.states import MachineState


class CpuStats(TypedDict):
    used_cores: float
    """On average between the last two samples."""
    limit_cores: float
    """What it has now: the baseline while credit is used up."""
    burst_cores: float
    baseline_cores: float | None
    """None: there are no credits."""
    throttled: bool
    """Whether it has less than `burst_cores` because its credit is used up."""
    throttled_share: float
    seconds: float
    throttled_seconds: float


class CreditStats(TypedDict):
    left_seconds: float
    limit_seconds: float


class MemoryStats(TypedDict):
    used_bytes: int
    limit_bytes: int
    peak_bytes: int
    oom_kills: int


class PidsStats(TypedDict):
    used: int
    limit: int
    peak: int


class DiskStats(TypedDict):
    used_bytes: int
    limit_bytes: int
    peak_bytes: int
    files: int
    warned: bool
    sampled_at: str | None


class IoStats(TypedDict):
    read_bytes: int
    written_bytes: int
    read_bytes_per_second: float
    written_bytes_per_second: float
    limit_bytes_per_second: int | None


class NetworkStats(TypedDict):
    received_bytes: int
    sent_bytes: int
    received_bytes_per_second: float
    sent_bytes_per_second: float
    used_bytes: int
    limit_bytes: int | None


class SessionStats(TypedDict):
    sampled_at: str | None
    """None: nobody has looked yet, and everything that is used is 0."""
    live: bool
    """False: its machines are gone, and this is the sum of what they used."""
    cpu: CpuStats
    credit: CreditStats | None
    memory: MemoryStats
    pids: PidsStats
    disk: DiskStats
    io: IoStats
    network: NetworkStats


def stats_of(session: Session) -> SessionStats:
    """The sum over its machines; what is used now (cores, memory, pids, disk, rates) counts for those that live."""
    rows = list(MachineUsage.objects.filter(machine__session=session).select_related("machine"))
    living = [row for row in rows if row.machine.is_live]
    count = max(1, sum(machine.state == MachineState.READY for machine in _machines(session)))
    profile = session.profile
    return {
        "sampled_at": instant(max((row.sampled_at for row in rows), default=None)),
        "live": bool(living),
        "cpu": _cpu(session, rows, living, count),
        "credit": _credit(session, living, count),
        "memory": {
            "used_bytes": sum(row.memory_bytes for row in living),
            "limit_bytes": profile.memory_bytes * count,
            "peak_bytes": sum(row.memory_peak_bytes for row in rows),
            "oom_kills": sum(row.oom_kills for row in rows),
        },
        "pids": {
            "used": sum(row.pids for row in living),
            "limit": profile.pids * count,
            "peak": sum(row.pids_peak for row in rows),
        },
        "disk": _disk(session, rows, living, count),
        "io": {
            "read_bytes": sum(row.read_bytes for row in rows),
            "written_bytes": sum(row.written_bytes for row in rows),
            "read_bytes_per_second": round(sum(row.read_rate for row in living), 1),
            "written_bytes_per_second": round(sum(row.written_rate for row in living), 1),
            "limit_bytes_per_second": profile.disk_write_bytes_per_second * count or None,
        },
        "network": _network(session, rows, living),
    }


def network_bytes_of_each(session_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Both ways together, over all machines that each session ever had; in one query."""
    rows = MachineUsage.objects.filter(machine__session_id__in=session_ids).values("machine__session_id")
    sums = rows.annotate(both=Sum(F("received_bytes") + F("sent_bytes")))
    return {each["machine__session_id"]: int(each["both"]) for each in sums}


def _machines(session: Session) -> Iterable[Machine]:
    return session.machines.all()


def _cpu(session: Session, rows: list[MachineUsage], living: list[MachineUsage], count: int) -> CpuStats:
    profile = session.profile
    limits = [profile.cpus if row.cpu_limit is None else row.cpu_limit for row in living]
    now = sum(limits) if limits else profile.cpus * count
    return {
        "used_cores": round(sum(row.cpu_cores for row in living), 4),
        "limit_cores": round(now, 4),
        "burst_cores": profile.cpus * count,
        "baseline_cores": profile.cpu_baseline * count or None,
        "throttled": any(limit < profile.cpus for limit in limits),
        "throttled_share": round(max((row.throttled_share for row in living), default=0.0), 4),
        "seconds": round(sum(row.cpu_seconds for row in rows), 3),
        "throttled_seconds": round(sum(row.throttled_seconds for row in rows), 3),
    }


def _credit(session: Session, living: list[MachineUsage], count: int) -> CreditStats | None:
    profile = session.profile
    if not profile.cpu_baseline:
        return None
    most = float(profile.cpu_credit_seconds)
    left = sum(most if row.cpu_credit is None else row.cpu_credit for row in living)
    return {"left_seconds": round(left if living else most * count, 3), "limit_seconds": most * count}


def _disk(session: Session, rows: list[MachineUsage], living: list[MachineUsage], count: int) -> DiskStats:
    return {
        "used_bytes": sum(row.disk_bytes for row in living),
        "limit_bytes": session.profile.disk_bytes * count,
        "peak_bytes": sum(row.disk_peak_bytes for row in rows),
        "files": sum(row.disk_files for row in living),
        "warned": any(row.disk_warned for row in living),
        "sampled_at": instant(max((row.disk_sampled_at for row in living if row.disk_sampled_at), default=None)),
    }


def _network(session: Session, rows: list[MachineUsage], living: list[MachineUsage]) -> NetworkStats:
    received, sent = sum(row.received_bytes for row in rows), sum(row.sent_bytes for row in rows)
    return {
        "received_bytes": received,
        "sent_bytes": sent,
        "received_bytes_per_second": round(sum(row.received_rate for row in living), 1),
        "sent_bytes_per_second": round(sum(row.sent_rate for row in living), 1),
        "used_bytes": received + sent,
        "limit_bytes": session.profile.network_bytes or None,
    }
