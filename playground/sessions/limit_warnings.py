"""Warnings before a limit ends a session: nearly all of it is used. Each is given once, until it is taken back.

They are events of the session's history, `warning`, which open terminals show as notices (`news`), and `kept` when
there is room again. The rows are what stands: whoever connects meanwhile is told too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from playground.sessions.events import record
from playground.sessions.models import LimitWarning
from playground.sessions.transitions import load

WARN_SHARE, CALM_SHARE = 0.8, 0.7
"""Of the limit: from where its owner is warned, and below which the warning is taken back."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """How much of one limit a session has used."""

    session_id: UUID
    subject: str
    """`disk`, `network`, `cpu_day`, `egress_day`."""
    used: float
    limit: float
    """Above 0."""
    message: str
    """For a person: how much is used, and what happens when all is."""
    machine: str = ""
    figures: dict[str, object] = field(default_factory=dict)
    """For programs, e.g. `used_bytes`."""

    @property
    def key(self) -> tuple[UUID, str, str]:
        """Of the one warning that there may be."""
        return self.session_id, self.subject, self.machine


def percent(used: float, limit: float) -> str:
    """`83 %`. Never rounded up: 100 % would be the end."""
    return f"{int(100 * used / limit)} %"


def tell(nearnesses: Sequence[Nearness]) -> None:
    """Gives and takes back what is due. Each is a compare-and-set: two at once tell it once."""
    rows = LimitWarning.objects.filter(session_id__in={near.session_id for near in nearnesses})
    standing = set(rows.values_list("session_id", "subject", "machine"))
    for near in nearnesses:
        share = near.used / near.limit
        if near.key in standing:
            if share < CALM_SHARE:
                _take_back(near)
        elif share > WARN_SHARE:
            _warn(near)


def _warn(near: Nearness) -> None:
    named: dict[str, object] = {"machine": near.machine} if near.machine else {}
    data = {"subject": near.subject, **named, "message": near.message, **near.figures}
    with transaction.atomic():
        session_id, subject, machine = near.key
        _, is_first = LimitWarning.objects.get_or_create(
            session_id=session_id, subject=subject, machine=machine, defaults={"data": data}
        )
        if is_first:
            record(load(session_id), "warning", data)


def _take_back(near: Nearness) -> None:
    session_id, subject, machine = near.key
    named: dict[str, object] = {"machine": machine} if machine else {}
    with transaction.atomic():
        rows, _ = LimitWarning.objects.filter(session_id=session_id, subject=subject, machine=machine).delete()
        if rows:
            record(load(session_id), "kept", {"subject": subject, **named})


def standing(session_id: UUID) -> list[dict[str, object]]:
    """What whoever connects now is told at once."""
    return [dict(row.data) for row in LimitWarning.objects.filter(session_id=session_id)]
