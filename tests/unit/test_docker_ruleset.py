"""The packet filter as text, and how it is read back."""

from ipaddress import IPv4Network

from runtime.engines.base import Egress
from runtime.engines.docker.names import bridge_name, bridge_prefix
from runtime.engines.docker.ruleset import Held, Opening, Ruleset, bridge_of, elements, read

BRIDGE = bridge_name("test", "1" * 32)
LISTED = Opening(BRIDGE, Egress.ALLOWLIST, (IPv4Network("198.51.100.0/24"), IPv4Network("203.0.113.7/32")), 1000)


def test_bridges_fit_and_begin_alike() -> None:
    assert len(BRIDGE) == 15
    assert BRIDGE.startswith(bridge_prefix("test"))
    assert not BRIDGE.startswith(bridge_prefix("other"))


def test_nothing_is_open_unless_it_is_said() -> None:
    script = Ruleset("test").script()
    assert "add element" not in script
    assert script.count(f'iifname "{bridge_prefix("test")}*"') == 3
    assert [line for line in script.splitlines() if " leaving " in line][-1].split()[5] == "drop"


def test_each_kind_of_egress() -> None:
    assert elements([Opening(BRIDGE, Egress.NONE)]) == set()
    assert elements([Opening(BRIDGE, Egress.INTERNET)]) == {("opened", f'"{BRIDGE}"')}
    assert elements([LISTED]) == {
        ("listed", f'"{BRIDGE}" . 198.51.100.0/24'),
        ("listed", f'"{BRIDGE}" . 203.0.113.7'),
        ("uploads", f'"{BRIDGE}" : "{BRIDGE}"'),
    }
    assert {bridge_of(element) for element in elements([LISTED])} == {BRIDGE}


def test_exceptions_and_resolvers_are_in_the_rules() -> None:
    script = Ruleset("test", ["10.0.0.53"], [IPv4Network("10.1.2.0/24")]).script()
    assert "ip daddr { 10.0.0.53 } meta l4proto { tcp, udp } th dport 53 accept" in script
    assert "ip daddr != { 10.1.2.0/24 } ip daddr { 0.0.0.0/8," in script
    assert " dport 53" not in Ruleset("test").script()


def test_what_is_gone_is_closed_in_the_same_step() -> None:
    lines = Ruleset("test").script([], elements([LISTED])).splitlines()
    for element in (f'"{BRIDGE}" . 203.0.113.7', f'"{BRIDGE}" : "{BRIDGE}"'):
        verbs = [line.split()[0] for line in lines if element in line]
        assert verbs == ["add", "delete"]
    assert lines[-1] == f"delete limit inet playground_test {BRIDGE}"


def test_rules_that_others_changed_are_noticed() -> None:
    ruleset = Ruleset("test")
    marks = [line.rpartition("comment ")[2].strip('"') for line in ruleset.script().splitlines() if "add rule" in line]
    assert ruleset.holds(Held(marks, frozenset()))
    assert not ruleset.holds(Held(marks[1:], frozenset()))
    assert not ruleset.holds(Held([*marks, ""], frozenset()))
    assert not ruleset.holds(None)
    assert not Ruleset("test", ["9.9.9.9"]).holds(Held(marks, frozenset()))


def test_what_nft_lists_is_read() -> None:
    rule = {"rule": {"chain": "leaving", "comment": "b"}}
    held = read(
        {
            "nftables": [
                {"metainfo": {}},
                rule,
                {"rule": {"chain": "input", "comment": "a"}},
                {"rule": {"chain": "leaving"}},
                {"set": {"name": "opened", "elem": ["x"]}},
                {"set": {"name": "listed", "elem": [
                    {"concat": ["x", "198.51.100.7"]},
                    {"concat": ["x", {"prefix": {"addr": "198.51.100.0", "len": 24}}]},
                ]}},
                {"map": {"name": "uploads", "elem": [["x", "x"]]}},
                {"set": {"name": "empty"}},
            ]
        }
    )  # fmt: skip
    assert held.marks == ["a", "b", ""]
    assert held.elements == {
        ("opened", '"x"'),
        ("listed", '"x" . 198.51.100.7'),
        ("listed", '"x" . 198.51.100.0/24'),
        ("uploads", '"x" : "x"'),
    }
