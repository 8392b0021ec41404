"""From a reading to a machine's totals, and to what its owner used this hour. Pure but for `write`.

Totals grow by differences of the engine's counters, and a row is written only by who read its version: a pass that is
killed, late or doubled counts nothing twice. A counter that is smaller than before has begun anew.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db import IntegrityError, connection, models

from playground.sessions.models import MachineUsage, PersonHour
from playground.sessions.sampled import Sampled
from runtime.limits.credits import advance, allowed_cores, policy_of
from runtime.limits.usage import Usage

COUNTERS = ("cpu_seconds", "throttled_seconds", "oom_kills", "read_bytes", "written_bytes")
NETWORK = ("received_bytes", "sent_bytes")


@dataclass(frozen=True, slots=True)
class Metered:
    """What one reading changed."""

    machine: Sampled
    row: MachineUsage
    cpu_seconds: float
    sent_bytes: int
    oom_kills: int
    """New since the reading before."""
    cores: float
    """What the kernel enforced when it was read."""
    wanted_cores: float
    """What it should have."""


def meter(row: MachineUsage, usage: Usage, machine: Sampled, now: datetime, *, may_limit: bool) -> Metered:
    """Brings the machine's row up to date. Writes nothing."""
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
    return Metered(machine, row, grown["cpu_seconds"], int(grown["sent_bytes"]), int(grown["oom_kills"]), cores, wanted)


def _grown(row: MachineUsage, name: str, value: float | None) -> float:
    """By how much a counter grew; remembers it. None: nobody could be asked."""
    if value is None:
        return 0
    before = row.seen.get(name, 0)
    if name == "written_bytes" and value < before:
        return 0  # counted process by process: less is seen while one is being waited for
    row.seen[name] = value
    return value - before if value >= before else value


def _spend(row: MachineUsage, machine: Sampled, used: float, elapsed: float, cores: float) -> float:
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
_NUMBERS = [
    field
    for field in _OTHERS
    if isinstance(field, models.FloatField | models.IntegerField) and not field.name.startswith("disk_")
]
"""The disk's figures are written by who looks at it."""
_numbers = attrgetter(*(field.attname for field in _NUMBERS))


def _update_statement() -> str:
    quote = connection.ops.quote_name
    columns = [*(str(field.column) for field in _NUMBERS), "sampled_at", "seen"]
    values = ", ".join(f"{quote(column)} = %s" for column in columns)
    where = f"{quote(str(_MACHINE.column))} = %s AND {quote('version')} = %s"
    return f"UPDATE {quote(MachineUsage._meta.db_table)} SET {values} WHERE {where}"  # noqa: S608  # columns of ours


def _parameters(row: MachineUsage) -> list[Any]:
    """As the database takes them. To ask each field for it took longer than all the rest."""
    machine = _MACHINE.get_db_prep_save(row.pk, connection)
    return [*_numbers(row), _moment(row.sampled_at), json.dumps(row.seen), machine, row.version - 1]


@lru_cache(maxsize=1)
def _moment(at: datetime) -> Any:
    """All rows of a pass have the same."""
    return connection.ops.adapt_datetimefield_value(at)


@dataclass(slots=True)
class Charge:
    """What is added to a person's hour."""

    cpu_seconds: float = 0.0
    egress_bytes: int = 0


def charge(charges: Mapping[int, Charge], now: datetime) -> None:
    """Adds to what each of these people used this hour. Call it in the transaction that writes the rows."""
    hour = connection.ops.adapt_datetimefield_value(now.replace(minute=0, second=0, microsecond=0))
    rows = [(owner_id, hour, one.cpu_seconds, one.egress_bytes) for owner_id, one in sorted(charges.items())]
    with connection.cursor() as cursor:
        cursor.executemany(_CHARGE, rows)


_CHARGE = f"""
INSERT INTO {PersonHour._meta.db_table} AS before (owner_id, hour, cpu_seconds, egress_bytes) VALUES (%s, %s, %s, %s)
ON CONFLICT (owner_id, hour) DO UPDATE SET
    cpu_seconds = before.cpu_seconds + excluded.cpu_seconds,
    egress_bytes = before.egress_bytes + excluded.egress_bytes
"""  # noqa: S608  # a table of ours
