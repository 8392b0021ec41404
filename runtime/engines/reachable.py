"""What machines never reach, and what an allow-list names. Pure.

An entry of an allow-list is an IPv4 address or network (`198.51.100.0/24`), or the name of a host (`deb.debian.org`),
which stands for the addresses that it has when a machine is made.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

CLOSED = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
"""Private, shared, link-local (with metadata services), multicast and reserved: the IANA registry of special-purpose
addresses, without the ranges for documentation. IPv6 is closed as a whole.
"""
CLOSED_PORTS = (25, 465, 587)
"""Mail is how a sandbox gets its host onto block lists."""
MAX_ENTRIES = 64
MAX_NAME = 253
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.[a-z][a-z0-9-]{0,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Allowed:
    """An allow-list: host names, in lower case, and networks that don't overlap."""

    names: Sequence[str] = ()
    networks: Sequence[IPv4Network] = ()


def parse(entries: Iterable[str], opened: Iterable[IPv4Network] = ()) -> Allowed:
    """Reads an allow-list; `opened` are the operator's exceptions. Raises ValueError with a sentence for a person."""
    given = [entry.strip().lower() for entry in entries if entry.strip()]
    if len(given) > MAX_ENTRIES:
        raise ValueError(f"An allow-list has at most {MAX_ENTRIES} entries.")
    exceptions = list(opened)
    names: list[str] = []
    networks: list[IPv4Network] = []
    for entry in given:
        if network := _network(entry):
            if touches_closed(network, exceptions):
                raise ValueError(f"{entry} is, or holds, a range that no machine reaches.")
            networks.append(network)
        elif len(entry) <= MAX_NAME and _NAME.fullmatch(entry):
            names.append(entry)
        else:
            raise ValueError(f"{entry!r} is neither a host name nor an IPv4 network like 198.51.100.0/24.")
    return Allowed(tuple(dict.fromkeys(names)), tuple(collapse_addresses(networks)))


def _network(entry: str) -> IPv4Network | None:
    try:
        return IPv4Network(entry)
    except ValueError:
        return None


def touches_closed(network: IPv4Network, opened: Iterable[IPv4Network]) -> bool:
    """Whether some of it is in a closed range and not in one of the exceptions."""
    if any(network.subnet_of(exception) for exception in opened):
        return False
    return any(network.overlaps(closed) for closed in CLOSED)


def is_closed(address: str, opened: Iterable[IPv4Network]) -> bool:
    """Whether machines never reach this IPv4 address."""
    return touches_closed(IPv4Network(IPv4Address(address)), opened)
