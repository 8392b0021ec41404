"""What a session may be asked to reach, by what its profile reaches."""

import pytest

from playground.sessions.errors import BeyondProfile, InvalidRequest
from playground.sessions.models import Profile
from playground.sessions.network import Network, agreed
from playground.sessions.requests import WantedNetwork
from runtime.engines.base import Egress

LIST = ("deb.debian.org", "198.51.100.0/25", "198.51.100.128/25")
CLOSED = Profile(slug="closed", egress=Egress.NONE, allowed="left.example.org")
LISTED = Profile(slug="listed", egress=Egress.ALLOWLIST, allowed="\n".join(LIST))
OPEN = Profile(slug="open", egress=Egress.INTERNET)


def listed(*entries: str) -> WantedNetwork:
    return WantedNetwork(Egress.ALLOWLIST, list(entries))


@pytest.mark.parametrize(
    ("profile", "wanted", "network"),
    [
        (CLOSED, None, Network(Egress.NONE)),
        (LISTED, None, Network(Egress.ALLOWLIST, LIST)),
        (OPEN, None, Network(Egress.INTERNET)),
        *((profile, WantedNetwork(Egress.NONE), Network(Egress.NONE)) for profile in (CLOSED, LISTED, OPEN)),
        (OPEN, WantedNetwork(Egress.INTERNET), Network(Egress.INTERNET)),
        (OPEN, listed("a.example.org", "1.1.1.1"), Network(Egress.ALLOWLIST, ("a.example.org", "1.1.1.1"))),
        (LISTED, WantedNetwork(Egress.ALLOWLIST), Network(Egress.ALLOWLIST, LIST)),
        (LISTED, listed(*LIST), Network(Egress.ALLOWLIST, LIST)),
        (LISTED, listed(" DEB.debian.org"), Network(Egress.ALLOWLIST, ("deb.debian.org",))),
        (LISTED, listed("198.51.100.7"), Network(Egress.ALLOWLIST, ("198.51.100.7",))),
        (LISTED, listed("198.51.100.0/24"), Network(Egress.ALLOWLIST, ("198.51.100.0/24",))),
    ],
)
def test_as_much_or_less(profile: Profile, wanted: WantedNetwork | None, network: Network) -> None:
    assert agreed(profile, wanted) == network


@pytest.mark.parametrize(
    ("profile", "wanted", "words"),
    [
        (CLOSED, WantedNetwork(Egress.INTERNET), "nothing beyond"),
        (CLOSED, WantedNetwork(Egress.ALLOWLIST), "nothing beyond"),
        (CLOSED, listed("left.example.org"), "nothing beyond"),
        (LISTED, WantedNetwork(Egress.INTERNET), "allow-list alone"),
        (LISTED, listed("debian.org"), "does not have debian.org"),
        (LISTED, listed("evil.deb.debian.org"), "does not have evil"),
        (LISTED, listed("deb.debian.org", "198.51.101.1"), "does not have 198.51.101.1"),
        (LISTED, listed("198.51.100.0/23"), "does not have 198.51.100.0/23"),
        (Profile(egress=Egress.ALLOWLIST, allowed="10.0.0.0/8"), listed("1.1.1.1"), "does not have 1.1.1.1"),
    ],
)
def test_never_more(profile: Profile, wanted: WantedNetwork, words: str) -> None:
    with pytest.raises(BeyondProfile, match=words) as raised:
        agreed(profile, wanted)
    assert raised.value.field == "network"


def test_a_list_has_to_come_from_somewhere() -> None:
    with pytest.raises(InvalidRequest) as raised:
        agreed(OPEN, WantedNetwork(Egress.ALLOWLIST))
    assert raised.value.field == "network.allowed"
