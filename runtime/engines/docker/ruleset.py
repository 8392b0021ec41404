"""The packet filter of an installation as text for `nft -f`, and what `nft --json` shows of it. Pure.

One table, whose base chains come before the engine's own: their drops are final, whatever the engine, or who flushes
its chains, does. The rules name all bridges of the installation by a prefix, so they hold before a bridge exists, and
what nobody opened is closed.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from runtime.engines.base import Egress
from runtime.engines.docker.names import bridge_prefix, table_name
from runtime.engines.reachable import CLOSED, CLOSED_PORTS

CHAINS = {
    "forward": "{ type filter hook forward priority filter - 10; policy accept; }",
    "input": "{ type filter hook input priority filter - 10; policy accept; }",
    "leaving": "",
}
SETS = {
    "opened": "set opened { type ifname; }",
    "listed": "set listed { type ifname . ipv4_addr; flags interval; }",
    "uploads": "map uploads { type ifname : limit; }",
}
BURST_SECONDS, BURST_BYTES = 0.1, 256 << 10
"""What may leave at once beyond the rate: enough for what TCP sends before it hears of a loss."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the machines on one bridge reach beyond it."""

    bridge: str
    egress: Egress
    networks: Sequence[IPv4Network] = ()
    """For Egress.ALLOWLIST."""
    upload: int = 0
    """Bytes a second that may leave; 0: no limit."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the kernel has: the marks of our rules in order, and the elements of our sets, as `elements` names them."""

    marks: Sequence[str]
    elements: frozenset[tuple[str, str]]


class Ruleset:
    """Of one installation."""

    def __init__(self, instance: str, resolver: Iterable[str] = (), opened: Iterable[IPv4Network] = ()) -> None:
        self.table = f"inet {table_name(instance)}"
        self._rules = _rules(bridge_prefix(instance), list(resolver), list(collapse_addresses(opened)))
        digest = hashlib.sha256(repr((self._rules, CHAINS, SETS)).encode()).hexdigest()[:8]
        self._marks = [f"{digest}-{number}" for number in range(len(self._rules))]

    def script(self, openings: Iterable[Opening] = (), gone: Iterable[tuple[str, str]] = ()) -> str:
        """Makes the table what it should be, in one step. Repeatable; opens, and closes `gone`, beside what is open."""
        lines = [f"add table {self.table}"]
        lines += [f"add {words.replace(' ', f' {self.table} ', 1)}" for words in SETS.values()]
        for name, words in CHAINS.items():
            lines += [f"add chain {self.table} {name} {words}", f"flush chain {self.table} {name}"]
        for mark, (chain, rule) in zip(self._marks, self._rules, strict=True):
            lines.append(f'add rule {self.table} {chain} {rule} comment "{mark}"')
        openings = list(openings)
        lines += [self._limit(opening.bridge, opening.upload) for opening in openings if opening.upload]
        lines += [f"add element {self.table} {name} {{ {element} }}" for name, element in sorted(elements(openings))]
        for name, element in sorted(gone):
            lines += self._closing(name, element)
        return "\n".join(lines) + "\n"

    def _limit(self, bridge: str, rate: int) -> str:
        burst = max(BURST_BYTES, int(rate * BURST_SECONDS))
        return f"add limit {self.table} {bridge} {{ rate over {rate} bytes/second burst {burst} bytes ; }}"

    def _closing(self, name: str, element: str) -> list[str]:
        # Added first: deleting what is absent would fail.
        lines = [f"{verb} element {self.table} {name} {{ {element} }}" for verb in ("add", "delete")]
        if name != "uploads":
            return lines
        bridge = bridge_of((name, element))
        return [self._limit(bridge, 1), *lines, f"delete limit {self.table} {bridge}"]

    def removal(self) -> str:
        """Removes the table; absent is success."""
        return f"add table {self.table}\ndelete table {self.table}\n"

    def holds(self, held: Held | None) -> bool:
        """Whether the rules in the kernel are these, and nobody's others among them."""
        return held is not None and list(held.marks) == self._marks


def elements(openings: Iterable[Opening]) -> set[tuple[str, str]]:
    """Set and element of each opening."""
    found: set[tuple[str, str]] = set()
    for opening in openings:
        if opening.upload:
            found.add(("uploads", f'"{opening.bridge}" : "{opening.bridge}"'))
        if opening.egress is Egress.INTERNET:
            found.add(("opened", f'"{opening.bridge}"'))
        elif opening.egress is Egress.ALLOWLIST:
            found |= {("listed", f'"{opening.bridge}" . {_short(network)}') for network in opening.networks}
    return found


def bridge_of(element: tuple[str, str]) -> str:
    """The bridge that an element is about."""
    return element[1].split('"')[1]


def _short(network: IPv4Network) -> str:
    return str(network.network_address) if network.prefixlen == 32 else str(network)


def _rules(prefix: str, resolver: Sequence[str], opened: Sequence[IPv4Network]) -> list[tuple[str, str]]:
    """Chain and rule, in order. A machine's packets have its bridge as their first interface, answers as their last."""
    machines, to_machines = f'iifname "{prefix}*"', f'oifname "{prefix}*"'
    # The way to the address leads back to the bridge that the packet came from: the other machines of its session.
    # Only seen here where the host filters bridged packets too.
    same_bridge = f"{to_machines} meta nfproto ipv4 fib daddr . iif oif exists"
    exceptions = f"ip daddr != {_set(map(str, opened))} " if opened else ""
    rules = [
        ("input", f"{machines} ct state established,related accept"),
        ("input", f"{machines} drop"),
        ("forward", f"{machines} jump leaving"),
        ("forward", f"{to_machines} ct state established,related accept"),
        ("forward", f"{to_machines} drop"),
        ("leaving", "meta nfproto != ipv4 drop"),
        ("leaving", "fib saddr . iif oif missing drop"),
        ("leaving", f"{same_bridge} accept"),
        ("leaving", f"{to_machines} drop"),
        ("leaving", "ct state invalid drop"),
        ("leaving", "limit name iifname map @uploads drop"),
    ]
    if resolver:
        servers = f"iifname @opened ip daddr {_set(resolver)} meta l4proto {{ tcp, udp }} th dport 53"
        rules.append(("leaving", f"{servers} accept"))
    return [
        *rules,
        ("leaving", f"{exceptions}ip daddr {_set(map(str, CLOSED))} drop"),
        ("leaving", f"tcp dport {_set(map(str, CLOSED_PORTS))} drop"),
        ("leaving", "iifname @opened accept"),
        ("leaving", "iifname . ip daddr @listed accept"),
        ("leaving", "drop"),
    ]


def _set(values: Iterable[str]) -> str:
    return "{ " + ", ".join(values) + " }"


def read(listing: Mapping[str, Any]) -> Held:
    """What `nft --json list table` answered."""
    marks: dict[str, list[str]] = {}
    found: set[tuple[str, str]] = set()
    for entry in listing["nftables"]:
        if rule := entry.get("rule"):
            marks.setdefault(rule["chain"], []).append(rule.get("comment", ""))
        elif held := entry.get("set") or entry.get("map"):
            found |= {(held["name"], _element(element)) for element in held.get("elem", [])}
    return Held([mark for chain in ("input", "forward", "leaving") for mark in marks.get(chain, [])], frozenset(found))


def _element(element: Any) -> str:
    if isinstance(element, str):
        return f'"{element}"'
    if isinstance(element, list):
        return f'"{element[0]}" : "{element[1]}"'
    bridge, network = element["concat"]
    if isinstance(network, str):
        return f'"{bridge}" . {network}'
    if "prefix" in network:
        return f'"{bridge}" . {network["prefix"]["addr"]}/{network["prefix"]["len"]}'
    first, last = network["range"]
    return f'"{bridge}" . {first}-{last}'
