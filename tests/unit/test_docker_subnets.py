from ipaddress import IPv4Network

import pytest

from runtime.engines.docker.subnets import RANGES, candidates, free_block


def test_block_touches_nothing_that_is_taken() -> None:
    taken = [IPv4Network("172.16.0.0/13"), IPv4Network("172.25.3.0/24")]
    block = free_block(taken, "a")
    assert block.prefixlen == 18
    assert not any(block.overlaps(other) for other in taken)


def test_a_second_copy_gets_another_block() -> None:
    first = free_block([], "same")
    assert not free_block([first], "same").overlaps(first)


def test_second_range_serves_when_the_first_is_full() -> None:
    assert free_block([RANGES[0]], "a").subnet_of(RANGES[1])


def test_full_host_is_told() -> None:
    with pytest.raises(LookupError):
        free_block([IPv4Network("0.0.0.0/0")], "a")


def test_every_block_is_a_candidate_once() -> None:
    blocks = list(candidates("seed"))
    assert len(blocks) == len(set(blocks)) == 64 + 512
