"""What the networks of an installation are called, on the engine and on the host. Pure.

Interfaces have names of at most 15 bytes: two letters, five for the installation, eight for the network. All that is on
the host of one installation can so be matched by a prefix, before any of it exists.
"""

import base64
import hashlib

INSTANCE_LETTERS, NETWORK_LETTERS = 5, 8
BRIDGE = "pn"


def _letters(text: str, count: int) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:count]


def network_name(instance: str, network_id: str) -> str:
    """Of a network on the engine: a retried create collides instead of leaking."""
    return f"playground-{instance}-{network_id}"


def bridge_prefix(instance: str) -> str:
    """What the bridges of all networks of this installation begin with, and no other interface."""
    return BRIDGE + _letters(instance, INSTANCE_LETTERS)


def bridge_name(instance: str, network_id: str) -> str:
    """The network's bridge on the host."""
    return bridge_prefix(instance) + _letters(network_id, NETWORK_LETTERS)


def table_name(instance: str) -> str:
    """The one nftables table of this installation, of the family inet."""
    return f"playground_{instance}"
