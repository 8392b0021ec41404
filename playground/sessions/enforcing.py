"""Limits over all of a session, and over all sessions of a person: what is used up ends what uses it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db.models import Q

from playground.accounts.models import User
from playground.sessions.budgets import BudgetUsage, used_by_each
from playground.sessions.ending import stop
from playground.sessions.limit_warnings import Nearness, percent, tell
from playground.sessions.models import Machine, Profile, Session
from playground.sessions.quotas import limits_of
from playground.sessions.states import Reason, SessionState
from playground.sessions.stats import network_bytes_of_each
from playground.words import duration, size
from runtime.engines.base import Egress

_RUNNING = Q(state__in=(SessionState.RUNNING, SessionState.PAUSED))


def enforce(machines: Sequence[Machine]) -> None:
    """Ends the sessions of these machines that are beyond a limit, and warns of limits that are near.

    Every step is a compare-and-set.
    """
    sessions = {machine.session.pk: machine.session for machine in machines if machine.session is not None}
    profiles = {machine.session.pk: machine.profile for machine in machines if machine.session is not None}
    near = _enforce_network(sessions, profiles)
    owners = User.objects.in_bulk({session.owner_id for session in sessions.values()})
    used = used_by_each(list(owners))
    for owner_id, owner in owners.items():
        own = [session for session in sessions.values() if session.owner_id == owner_id]
        near += _enforce_budgets(owner, used[owner_id], own)
    if near:
        tell(near)


def _enforce_network(sessions: Mapping[UUID, Session], profiles: Mapping[UUID, Profile]) -> list[Nearness]:
    near = []
    used = network_bytes_of_each([pk for pk in sessions if profiles[pk].network_bytes])
    for session_id, bytes_used in used.items():
        session, limit = sessions[session_id], profiles[session_id].network_bytes
        if bytes_used > limit:
            stop(session, Reason.QUOTA_NETWORK, where=_RUNNING)
        else:
            near.append(_network(session, bytes_used, limit))
    return near


def _enforce_budgets(owner: User, used: BudgetUsage, sessions: Sequence[Session]) -> list[Nearness]:
    """Of one person, whose living sessions these are."""
    limits = limits_of(owner)
    if used.cpu_seconds >= limits.cpu_seconds_per_day:
        for session in sessions:
            stop(session, Reason.QUOTA_CPU, where=_RUNNING)
        return []
    near = [_cpu_day(session, used.cpu_seconds, limits.cpu_seconds_per_day) for session in sessions]
    sending = [session for session in sessions if session.egress != Egress.NONE]
    if used.egress_bytes >= limits.egress_bytes_per_day:
        for session in sending:
            stop(session, Reason.QUOTA_NETWORK, "As much as you may send in 24 hours was sent.", where=_RUNNING)
        return near
    return near + [_egress_day(session, used.egress_bytes, limits.egress_bytes_per_day) for session in sending]


def _network(session: Session, used: int, limit: int) -> Nearness:
    message = (
        f"This session has sent and received {size(used)} of the {size(limit)} that its profile allows "
        f"({percent(used, limit)}). At {size(limit)} it ends."
    )
    return Nearness(session.pk, "network", used, limit, message, figures={"used_bytes": used, "limit_bytes": limit})


def _cpu_day(session: Session, used: float, limit: int) -> Nearness:
    message = (
        f"{percent(used, limit)} of the CPU time that you have in 24 hours is used: {duration(used)} of "
        f"{duration(limit)}. When it is used up, all your sessions end."
    )
    figures: dict[str, object] = {"used_seconds": round(used, 3), "limit_seconds": limit}
    return Nearness(session.pk, "cpu_day", used, limit, message, figures=figures)


def _egress_day(session: Session, used: int, limit: int) -> Nearness:
    message = (
        f"You have sent {size(used)} of the {size(limit)} that you may send in 24 hours ({percent(used, limit)}). "
        f"At {size(limit)} your sessions with a network end."
    )
    return Nearness(session.pk, "egress_day", used, limit, message, figures={"used_bytes": used, "limit_bytes": limit})
