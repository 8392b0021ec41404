"""How much of its host an installation gives to machines. Anything wrong raises ImproperlyConfigured."""

import os
from dataclasses import dataclass

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

MIB = 1 << 20
SHARE_OF_MEMORY = 0.8
"""The rest is for the engine, the database and ourselves."""
MOST_MACHINES = 250
MOST_WAITING = 200
MOST = 10**8


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of one host."""

    memory_bytes: int
    """What the memory limits of all machines add up to at most, of the pools' as well."""
    machines: int
    creates_at_once: int
    """Over all workers. More than the engine takes makes everything slower."""
    waiting: int
    """Sessions that may wait for a machine; whoever comes then is told that the host is full."""


def usual_creates(cores: int) -> int:
    """Making a machine keeps the engine about half busy and half waiting."""
    return min(8, max(2, 2 * cores))


def host_capacity() -> Capacity:
    """PLAYGROUND_MEMORY_MIB, PLAYGROUND_MACHINES, PLAYGROUND_CREATES_AT_ONCE, PLAYGROUND_QUEUE."""
    host = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    usual_memory = int(host * SHARE_OF_MEMORY) // MIB
    return Capacity(
        memory_bytes=MIB * count("PLAYGROUND_MEMORY_MIB", env.str("PLAYGROUND_MEMORY_MIB", default=str(usual_memory))),
        machines=count("PLAYGROUND_MACHINES", env.str("PLAYGROUND_MACHINES", default=str(MOST_MACHINES))),
        creates_at_once=count(
            "PLAYGROUND_CREATES_AT_ONCE",
            env.str("PLAYGROUND_CREATES_AT_ONCE", default=str(usual_creates(os.cpu_count() or 1))),
        ),
        waiting=count("PLAYGROUND_QUEUE", env.str("PLAYGROUND_QUEUE", default=str(MOST_WAITING))),
    )


def count(name: str, value: str) -> int:
    """A whole number from 1 on."""
    if not value.isascii() or not value.isdecimal() or not 1 <= int(value) <= MOST:
        raise ImproperlyConfigured(f"{name}: {value!r} is no whole number from 1 to {MOST}")
    return int(value)


CAPACITY = host_capacity()
