"""What machines with egress use on the network."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from playground.settings.environment import env

HOST_RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
"""Where this host's own name servers are; the second where the first only names a server on the host itself."""


def resolvers() -> tuple[str, ...]:
    """PLAYGROUND_RESOLVERS: addresses with commas; empty: those of this host."""
    given = [part.strip() for part in str(env.str("PLAYGROUND_RESOLVERS", default="")).split(",") if part.strip()]
    try:
        found = tuple(str(IPv4Address(address)) for address in given)
    except ValueError:
        raise ImproperlyConfigured("PLAYGROUND_RESOLVERS: it is no list of IPv4 addresses like 9.9.9.9") from None
    return found or _of_host()


def _of_host() -> tuple[str, ...]:
    for path in HOST_RESOLVERS:
        lines = path.read_text().splitlines() if path.exists() else []
        words = [line.split() for line in lines]
        found = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver" and _is_elsewhere(word[1])]
        if found:
            return tuple(found)
    return ()


def _is_elsewhere(address: str) -> bool:
    try:
        return not IPv4Address(address).is_loopback
    except ValueError:
        return False


def opened() -> tuple[IPv4Network, ...]:
    """PLAYGROUND_EGRESS_OPEN: networks with commas."""
    value = str(env.str("PLAYGROUND_EGRESS_OPEN", default=""))
    try:
        return tuple(IPv4Network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise ImproperlyConfigured("PLAYGROUND_EGRESS_OPEN: it is no list of networks like 10.1.2.0/24") from None


PLAYGROUND_RESOLVERS = resolvers()
PLAYGROUND_EGRESS_OPEN = opened()
