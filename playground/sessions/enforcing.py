"""Limits over all of a session, and over all sessions of a person: what is used up ends what uses it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db.models import Q

from playground.accounts.models import User
from playground.sessions.budgets import BudgetUsage, used_by_each
from playground.sessions.ending import stop
from playground.sessions.limit_warnings import Nearness, percent, tell
from playground.sessions.quotas import limits_of
from playground.sessions.sampled import Sampled
from playground.sessions.states import STARTED, Reason
from playground.sessions.stats import network_bytes_of_each
from playground.words import duration, size
from runtime.engines.base import Egress

_STARTED = Q(state__in=STARTED)


def enforce(machines: Sequence[Sampled]) -> None:
    """Ends the sessions of these machines that are beyond a limit, and warns of limits that are near.

    Every step is a compare-and-set.
    """
    one_of_each = {machine.session_id: machine for machine in machines}
    near = _enforce_network(one_of_each)
    of_owners: defaultdict[int, list[Sampled]] = defaultdict(list)
    for machine in one_of_each.values():
        of_owners[machine.owner_id].append(machine)
    used = used_by_each(of_owners)
    for owner in User.objects.in_bulk(of_owners).values():
        near += _enforce_budgets(owner, used[owner.pk], of_owners[owner.pk])
    if near:
        tell(near)


def _enforce_network(one_of_each: Mapping[UUID, Sampled]) -> list[Nearness]:
    """Of sessions, by a machine of each."""
    near = []
    limits = {pk: machine.profile.network_bytes for pk, machine in one_of_each.items() if machine.profile.network_bytes}
    for session_id, bytes_used in network_bytes_of_each(limits).items():
        if bytes_used > limits[session_id]:
            stop(session_id, Reason.QUOTA_NETWORK, where=_STARTED)
        else:
            near.append(_network(session_id, bytes_used, limits[session_id]))
    return near


def _enforce_budgets(owner: User, used: BudgetUsage, machines: Sequence[Sampled]) -> list[Nearness]:
    """Of one person; a machine of each of their sessions."""
    limits = limits_of(owner)
    living = [machine.session_id for machine in machines]
    if used.cpu_seconds >= limits.cpu_seconds_per_day:
        for session_id in living:
            stop(session_id, Reason.QUOTA_CPU, where=_STARTED)
        return []
    near = _cpu_day(living, used.cpu_seconds, limits.cpu_seconds_per_day)
    sending = [machine.session_id for machine in machines if machine.egress != Egress.NONE]
    if used.egress_bytes >= limits.egress_bytes_per_day:
        for session_id in sending:
            stop(session_id, Reason.QUOTA_NETWORK, "As much as you may send in 24 hours was sent.", where=_STARTED)
        return near
    return near + _egress_day(sending, used.egress_bytes, limits.egress_bytes_per_day)


def _network(session_id: UUID, used: int, limit: int) -> Nearness:
    message = (
        f"This session has sent and received {size(used)} of the {size(limit)} that its profile allows "
        f"({percent(used, limit)}). At {size(limit)} it ends."
    )
    return Nearness(session_id, "network", used, limit, message, figures={"used_bytes": used, "limit_bytes": limit})


def _cpu_day(session_ids: Sequence[UUID], used: float, limit: int) -> list[Nearness]:
    message = (
        f"{percent(used, limit)} of the CPU time that you have in 24 hours is used: {duration(used)} of "
        f"{duration(limit)}. When it is used up, all your sessions end."
    )
    figures: dict[str, object] = {"used_seconds": round(used, 3), "limit_seconds": limit}
    return [Nearness(pk, "cpu_day", used, limit, message, figures=figures) for pk in session_ids]


def _egress_day(session_ids: Sequence[UUID], used: int, limit: int) -> list[Nearness]:
    message = (
        f"You have sent {size(used)} of the {size(limit)} that you may send in 24 hours ({percent(used, limit)}). "
        f"At {size(limit)} your sessions with a network end."
    )
    figures: dict[str, object] = {"used_bytes": used, "limit_bytes": limit}
    return [Nearness(pk, "egress_day", used, limit, message, figures=figures) for pk in session_ids]
