"""What an allow-list may name."""

from ipaddress import IPv4Network

import pytest

from runtime.engines.reachable import CLOSED, MAX_ENTRIES, is_closed, parse


def test_names_and_networks() -> None:
    found = parse([" Deb.Debian.org ", "", "198.51.100.7", "198.51.100.0/24", "xn--bcher.example", "deb.debian.org"])
    assert found.names == ("deb.debian.org", "xn--bcher.example")
    assert found.networks == (IPv4Network("198.51.100.0/24"),)


@pytest.mark.parametrize(
    "entry",
    ["*.example.com", "localhost", "1.2.3", "1.2.3.4/33", "1.2.3.4/24", "http://a.b", "a..b", "-a.example.com", "::1",
     "fd00::/8", "a.example.com.", "a_b.example.com", "a.example.com:80", "x" * 64 + ".com", 'a.com" drop', "a.com\nb"],
)  # fmt: skip
def test_what_is_neither(entry: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        parse([entry])


@pytest.mark.parametrize(
    "entry", ["10.1.2.3", "169.254.169.254/32", "127.0.0.1", "0.0.0.0/0", "192.0.0.0/8", "100.64.0.0/24", "224.0.0.1"]
)
def test_closed_ranges_are_not_opened_by_an_entry(entry: str) -> None:
    with pytest.raises(ValueError, match="no machine reaches"):
        parse([entry])


def test_the_operator_has_exceptions() -> None:
    exception = IPv4Network("10.1.2.0/24")
    assert parse(["10.1.2.7"], [exception]).networks == (IPv4Network("10.1.2.7/32"),)
    assert not is_closed("10.1.2.7", [exception])
    assert is_closed("10.1.3.7", [exception])


def test_an_end_to_entries() -> None:
    with pytest.raises(ValueError, match="at most"):
        parse(f"host{number}.example.com" for number in range(MAX_ENTRIES + 1))


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "172.31.255.255", "192.168.0.1", "100.127.0.1", "169.254.169.254", "239.1.1.1", "255.1.1.1"]
)
def test_closed_ranges_are_what_they_should_be(address: str) -> None:
    assert is_closed(address, [])
    assert any(IPv4Network(address).subnet_of(closed) for closed in CLOSED)


@pytest.mark.parametrize("address", ["9.255.255.255", "172.32.0.1", "192.167.0.1", "198.51.100.1", "203.0.113.1"])
def test_the_rest_is_open(address: str) -> None:
    assert not is_closed(address, [])
