"""Files of the kernel as numbers; what makes no sense counts as nothing and never fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.limits import parsing

COUNTS = st.integers(min_value=0, max_value=1 << 62)
WORDS = st.text("abcdefghij_", min_size=1, max_size=12)
PARSERS = [
    parsing.number,
    parsing.io_v1,
    parsing.io_v2,
    parsing.cores_v2,
    parsing.network,
    parsing.dirtied,
    parsing.pids,
    lambda data: parsing.value_of(data, b"usage_usec"),
    lambda data: parsing.cores_v1(data, data),
]


@pytest.mark.parametrize("parser", PARSERS)
@given(data=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_fails(parser, data: bytes) -> None:  # type: ignore[no-untyped-def]
    parser(data)


@given(value=COUNTS)
def test_numbers(value: int) -> None:
    assert parsing.number(b"%d\n" % value) == value


@pytest.mark.parametrize("data", [b"max\n", b"-1\n", b"", b"x", b"1 2", "²".encode()])
def test_what_is_no_number_is_nothing(data: bytes) -> None:
    assert parsing.number(data) == 0


@given(values=st.dictionaries(WORDS, COUNTS, max_size=8))
def test_values_by_their_whole_key(values: dict[str, int]) -> None:
    data = "".join(f"{key} {value}\n" for key, value in values.items()).encode()
    for key, value in values.items():
        assert parsing.value_of(data, key.encode()) == value
    assert parsing.value_of(data, b"absent") == 0


def test_a_key_is_not_found_within_another() -> None:
    data = b"total_inactive_file 1\ninactive_file 2\ninactive_file_x 3\n"
    assert parsing.value_of(data, b"inactive_file") == 2
    assert parsing.value_of(data, b"file") == 0


@given(devices=st.lists(st.tuples(COUNTS, COUNTS), max_size=5))
def test_block_devices_are_added_up(devices: list[tuple[int, int]]) -> None:
    v1 = "".join(f"8:{n} Read {r}\n8:{n} Write {w}\n8:{n} Total {r + w}\n" for n, (r, w) in enumerate(devices))
    v2 = "".join(f"8:{n} rbytes={r} wbytes={w} rios=1 wios=2\n" for n, (r, w) in enumerate(devices))
    expected = (sum(r for r, _ in devices), sum(w for _, w in devices))
    assert parsing.io_v1(v1.encode() + b"Total 5\n") == expected
    assert parsing.io_v2(v2.encode()) == expected


def test_cores() -> None:
    assert parsing.cores_v1(b"50000\n", b"100000\n") == 0.5
    assert parsing.cores_v1(b"-1\n", b"100000\n") is None
    assert parsing.cores_v2(b"150000 100000\n") == 1.5
    assert parsing.cores_v2(b"max 100000\n") is None


@given(cards=st.lists(st.tuples(COUNTS, COUNTS), max_size=4))
def test_interfaces_are_added_up_without_loopback(cards: list[tuple[int, int]]) -> None:
    lines = ["Inter-|   Receive |  Transmit", " face |bytes packets|bytes", "    lo: 99 1 0 0 0 0 0 0 99 1 0 0 0 0 0 0"]
    lines += [f"  eth{n}:{r} 1 0 0 0 0 0 0 {s} 1 0 0 0 0 0 0" for n, (r, s) in enumerate(cards)]
    assert parsing.network("\n".join(lines).encode()) == (sum(r for r, _ in cards), sum(s for _, s in cards))


def test_what_was_given_back_was_not_written() -> None:
    assert parsing.dirtied(b"read_bytes: 9\nwrite_bytes: 10\ncancelled_write_bytes: 4\n") == 6
    assert parsing.dirtied(b"write_bytes: 1\ncancelled_write_bytes: 4\n") == 0
