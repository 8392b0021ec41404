"""From a reading to a machine's totals, and to what its owner used this hour. Pure but for `write`.

Totals grow by differences of the engine's counters, and a row is written only by who read its version: a pass that is
killed, late or doubled counts nothing twice. A counter that is smaller than before has begun anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, models
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


class Overtaken(Exception):
    """Somebody else has written a row since it was read."""


def write(rows: Sequence[MachineUsage]) -> None:
    """Writes all of these. Raises Overtaken; call it in a transaction, which that undoes.

    One statement for all: by the ORM, a row at a time, 200 of them took a quarter of a second.
    """
    new = [row for row in rows if not row.version]
    known = [row for row in rows if row.version]
    for row in rows:
        row.version += 1
    if known:
        with connection.cursor() as cursor:
            cursor.executemany(_update_statement(), [_parameters(row) for row in known])
            if cursor.rowcount != len(known):
                raise Overtaken
    try:
        MachineUsage.objects.bulk_create(new)
    except IntegrityError as error:
        raise Overtaken from error


_MACHINE, *_OTHERS = MachineUsage._meta.concrete_fields
_WRITTEN = [field for field in _OTHERS if not field.name.startswith("disk_")]
"""The disk's figures are written by who looks at it."""
_AS_THEY_ARE = (models.FloatField, models.IntegerField)


def _update_statement() -> str:
    quote = connection.ops.quote_name
    values = ", ".join(f"{quote(str(field.column))} = %s" for field in _WRITTEN)
    where = f"{quote(str(_MACHINE.column))} = %s AND {quote('version')} = %s"
    return f"UPDATE {quote(MachineUsage._meta.db_table)} SET {values} WHERE {where}"  # noqa: S608  # columns of ours


def _parameters(row: MachineUsage) -> list[Any]:
    values = [_stored(field, getattr(row, field.attname)) for field in _WRITTEN]
    return [*values, _stored(_MACHINE, row.pk), row.version - 1]


def _stored(field: "models.Field[Any, Any]", value: object) -> Any:
    """As the database takes it. Most are numbers, and asking the field took longer than all the rest."""
    return value if isinstance(field, _AS_THEY_ARE) else field.get_db_prep_save(value, connection)


@dataclass(slots=True)
class Charge:
    """What is added to a person's hour."""

    cpu_seconds: float = 0.0
    egress_bytes: int = 0


def charge(charges: Mapping[int, Charge], now: datetime) -> None:
    """Adds to what each of these people used this hour. Call it in the transaction that writes the rows."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    PersonHour.objects.bulk_create(
        [PersonHour(owner_id=owner_id, hour=hour) for owner_id in charges], ignore_conflicts=True
    )
    for owner_id, added in charges.items():
        PersonHour.objects.filter(owner_id=owner_id, hour=hour).update(
            cpu_seconds=F("cpu_seconds") + added.cpu_seconds, egress_bytes=F("egress_bytes") + added.egress_bytes
        )
