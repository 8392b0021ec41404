"""From a reading to a machine's totals, and to what its owner used this hour. Pure but for `write`.

Totals grow by differences of the engine's counters, and a row is written only by who read its version: a pass that is
killed, late or doubled counts nothing twice. A counter that is smaller than before has begun anew.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from playground.sessions.models import Machine, MachineUsage, PersonHour
from runtime.limits.credits import advance, allowed_cores, policy_of
from runtime.limits.usage import Usage

COUNTERS = ("cpu_seconds", "throttled_seconds", "oom_kills", "read_bytes", "written_bytes")
NETWORK = ("received_bytes", "sent_bytes")


@dataclass(frozen=True, slots=True)
class Metered:
    """What one reading changed."""

    row: MachineUsage
    cpu_seconds: float
    sent_bytes: int
    oom_kills: int
    """New since the reading before."""
    cores: float
    """What the kernel enforced when it was read."""
    wanted_cores: float
    """What it should have."""


def meter(row: MachineUsage, usage: Usage, machine: Machine, now: datetime, *, may_limit: bool) -> Metered:
    """Brings the row up to date; `machine` with its profile. Writes nothing."""
    elapsed = max(0.0, (now - row.sampled_at) / timedelta(seconds=1)) if row.version else 0.0
    grown = {name: _grown(row, name, getattr(usage, name)) for name in COUNTERS + NETWORK}
    for name, amount in grown.items():
        setattr(row, name, getattr(row, name) + amount)
    row.memory_bytes, row.pids = usage.memory_bytes, usage.pids
    row.memory_peak_bytes = max(row.memory_peak_bytes, usage.memory_bytes)
    row.pids_peak = max(row.pids_peak, usage.pids)
    if elapsed:
        row.cpu_cores = grown["cpu_seconds"] / elapsed
        row.throttled_share = min(1.0, grown["throttled_seconds"] / elapsed)
        for name in ("read", "written", "received", "sent"):
            setattr(row, f"{name}_rate", grown[f"{name}_bytes"] / elapsed)
    row.sampled_at = now
    cores = usage.cpu_limit_cores or row.cpu_limit or machine.profile.cpus
    wanted = _spend(row, machine, grown["cpu_seconds"], elapsed, cores) if may_limit else cores
    return Metered(row, grown["cpu_seconds"], int(grown["sent_bytes"]), int(grown["oom_kills"]), cores, wanted)


def _grown(row: MachineUsage, name: str, value: float | None) -> float:
    """By how much a counter grew; remembers it. None: nobody could be asked."""
    if value is None:
        return 0
    before = row.seen.get(name, 0)
    if name == "written_bytes" and value < before:
        return 0  # counted process by process: less is seen while one is being waited for
    row.seen[name] = value
    return value - before if value >= before else value


def _spend(row: MachineUsage, machine: Machine, used: float, elapsed: float, cores: float) -> float:
    profile = machine.profile
    policy = policy_of(profile.cpus, profile.cpu_baseline, profile.cpu_credit_seconds)
    if policy is None:
        row.cpu_credit = None
        return profile.cpus
    left = policy.most if row.cpu_credit is None else row.cpu_credit
    row.cpu_credit = advance(policy, left, used, elapsed)
    return allowed_cores(policy, row.cpu_credit, cores)


def write(row: MachineUsage) -> bool:
    """Writes the row unless somebody else has since it was read. Call it in a transaction."""
    version, row.version = row.version, row.version + 1
    values = {name: getattr(row, name) for name in _WRITTEN}
    if version:
        return bool(MachineUsage.objects.filter(pk=row.pk, version=version).update(**values))
    _, made = MachineUsage.objects.get_or_create(pk=row.pk, defaults=values)
    return made


_WRITTEN = [field.attname for field in MachineUsage._meta.concrete_fields if field.attname != "machine_id"]


def charge(owner_id: int, now: datetime, cpu_seconds: float, egress_bytes: int) -> None:
    """Adds to what the person used this hour. Call it in the transaction that writes the row."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    PersonHour.objects.get_or_create(owner_id=owner_id, hour=hour)
    PersonHour.objects.filter(owner_id=owner_id, hour=hour).update(
        cpu_seconds=F("cpu_seconds") + cpu_seconds, egress_bytes=F("egress_bytes") + egress_bytes
    )
