"""The profiles as pages and the API offer them: whether this host can give what each asks for, and why not."""

from dataclasses import dataclass

from playground.host import reports
from playground.host.models import HostReport
from playground.sessions.enforceable import check_enforceable
from playground.sessions.models import Profile
from playground.sessions.selectors import profiles
from playground.sessions.states import RecordingRule
from runtime.engines.base import Egress
from runtime.errors import CapabilityUnavailable


@dataclass(frozen=True, slots=True)
class Offer:
    """One profile."""

    profile: Profile
    reason: str
    """Why its sessions would be refused now, for a person; empty: they would not."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Profiles that can't be had for the same reason."""

    titles: str
    reason: str


def offers(found: HostReport | None) -> list[Offer]:
    """In the order to show them; `found` is what the last probe of the host did."""
    return [Offer(profile, refusal(profile, found)) for profile in profiles()]


def refusal(profile: Profile, found: HostReport | None) -> str:
    """What `services.create` would say; empty where it would not refuse."""
    try:
        check_enforceable(profile, Egress(profile.egress), found)
        reports.check(profile.requires, found)
    except (CapabilityUnavailable, reports.CapabilityMissing) as error:
        return str(error)
    return ""


def start_choices(found: HostReport | None) -> dict[str, object]:
    """What the form that starts a session asks: the profile, and whether to record; and what can't be had."""
    offered = offers(found)
    return {
        "offers": offered,
        "chosen": chosen(offered),
        "refusals": refusals(offered),
        "recordable": any(offer.profile.recording == RecordingRule.ON_REQUEST for offer in offered if not offer.reason),
    }


def chosen(offered: list[Offer]) -> str:
    """The slug of the profile that a page has selected: the default one, else the first that can be had, else none."""
    open_ones = sorted((offer for offer in offered if not offer.reason), key=lambda offer: not offer.profile.is_default)
    return open_ones[0].profile.slug if open_ones else ""


def refusals(offered: list[Offer]) -> list[Refusal]:
    """What a page says above the images."""
    titles: dict[str, list[str]] = {}
    for offer in offered:
        if offer.reason:
            titles.setdefault(offer.reason, []).append(offer.profile.title)
    return [Refusal(", ".join(of), reason) for reason, of in titles.items()]
