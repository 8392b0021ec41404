"""Which addresses the networks of a private engine may use. Pure: what is taken comes in, a free block comes out."""

import hashlib
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

BLOCK_BITS = 18
"""One engine gets a /18: 1024 networks of /28, one per session."""
NETWORK_BITS = 28

RANGES = (IPv4Network("172.16.0.0/12"), IPv4Network("10.128.0.0/9"))


def candidates(seed: str) -> Iterator[IPv4Network]:
    """Every block, the ranges that home and office networks rarely use first; `seed` decides where in a range to begin,
    so that engines that start at the same moment on one host seldom look at the same block.
    """
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4])
    for whole in RANGES:
        blocks = list(whole.subnets(new_prefix=BLOCK_BITS))
        first = start % len(blocks)
        yield from blocks[first:] + blocks[:first]


def free_block(taken: Iterable[IPv4Network], seed: str) -> IPv4Network:
    """The first block that touches nothing taken. Raises LookupError when there is none."""
    occupied = list(taken)
    for block in candidates(seed):
        if not any(block.overlaps(other) for other in occupied):
            return block
    raise LookupError("no private address range is free on this host")
