"""What the machines of a session reach beyond it: what its profile says, or less where that was asked for. Pure but for
the site's own exceptions."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from playground.sessions.allowlist import entries_of
from playground.sessions.errors import BeyondProfile, InvalidRequest
from playground.sessions.models import Profile, Session
from playground.sessions.requests import WantedNetwork
from runtime.engines.base import Egress
from runtime.engines.reachable import parse


@dataclass(frozen=True, slots=True)
class Network:
    """The reach of each machine of a session."""

    egress: Egress
    allowed: tuple[str, ...] = ()
    """With the egress `allowlist`: host names and IPv4 networks."""


def network_of(row: Profile | Session) -> Network:
    """What that row says."""
    egress = Egress(row.egress)
    return Network(egress, tuple(entries_of(row.allowed)) if egress is Egress.ALLOWLIST else ())


def agreed(profile: Profile, wanted: WantedNetwork | None) -> Network:
    """The profile's, or what is wanted of it. Raises BeyondProfile for more, InvalidRequest for what is none."""
    offered = network_of(profile)
    if wanted is None:
        return offered
    if wanted.egress is not Egress.ALLOWLIST:
        network = Network(wanted.egress)
    elif wanted.allowed is not None:
        network = Network(wanted.egress, tuple(entry.strip().lower() for entry in wanted.allowed))
    elif offered.egress is not Egress.INTERNET:
        network = Network(wanted.egress, offered.allowed)
    else:
        raise InvalidRequest("Name what is to be reached: the profile has no allow-list.", field="network.allowed")
    check_within(offered, network)
    return network


def check_within(offered: Network, wanted: Network) -> None:
    """Raises BeyondProfile unless all that `wanted` reaches is reached with `offered`, as far as can be judged.

    A host name is on an allow-list when the list names it: which addresses it has tells nobody what it will have.
    """
    if wanted == offered or wanted.egress is Egress.NONE or offered.egress is Egress.INTERNET:
        return
    if offered.egress is Egress.NONE:
        raise BeyondProfile("With this profile machines reach nothing beyond their session.", field="network")
    if wanted.egress is Egress.INTERNET:
        raise BeyondProfile("With this profile machines reach what is on its allow-list alone.", field="network")
    if beyond := _beyond(offered.allowed, wanted.allowed):
        raise BeyondProfile(f"The allow-list of this profile does not have {', '.join(beyond)}.", field="network")


def _beyond(offered: Sequence[str], wanted: Sequence[str]) -> list[str]:
    opened = settings.PLAYGROUND_EGRESS_OPEN
    try:
        most = parse(offered, opened)
    except ValueError:
        # The site's exceptions are others by now: then no part of it can be told.
        return list(wanted)
    found = []
    for entry in wanted:
        one = parse([entry], opened)
        names = set(one.names) <= set(most.names)
        if not (names and all(any(part.subnet_of(whole) for whole in most.networks) for part in one.networks)):
            found.append(entry)
    return found
