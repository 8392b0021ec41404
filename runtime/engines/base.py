"""The engine port: what runs machines, in three nouns (Engine, Machine state, Stream).

An adapter classifies every foreign error into `runtime.errors`. Every adapter passes `tests/contract`.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from runtime.limits.usage import DiskUsage, Usage

SESSION_LABEL = "playground.session"
"""The label of what an engine makes for a session: its id, 32 hexadecimal digits."""
OWNER_LABEL = "playground.owner"
"""Whose it is: an opaque word, never a person's name or number."""


class Egress(StrEnum):
    """What a machine reaches beyond its own network. Never the host, private ranges, or other sessions' machines."""

    NONE = "none"
    INTERNET = "internet"
    ALLOWLIST = "allowlist"
    """The names and networks of `MachineSpec.allowed` alone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one machine may use. Bytes, cores, seconds; set by the engine at creation, never after start."""

    memory_bytes: int
    cpus: float
    pids: int
    tmpfs_bytes: int
    shm_bytes: int
    nofile: int
    disk_bytes: int
    """Writable layer. Enforced by the engine only where `Capabilities.disk_quota` says so."""
    file_bytes: int
    """The largest single file (RLIMIT_FSIZE)."""
    write_bytes_per_second: int = 0
    """To the disk that the engine's data is on; 0: no limit. Nothing where the engine's host shows no such disk."""


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """All that an engine needs to make one machine.

    Holds no secret: commands and their environment reach sandboxd by OPEN.
    """

    machine_id: str
    """32 hexadecimal digits. The engine's name for it comes from this: a retried create collides instead of leaking."""
    hostname: str
    image: str
    """A reference that `Engine.image` found, e.g. `playground/debian:12`."""
    limits: Limits
    egress: Egress
    deadline_seconds: int
    """sandboxd ends the machine by itself after this long."""
    allowed: Sequence[str] = ()
    """Names and IPv4 networks as `runtime.engines.reachable` reads them; for Egress.ALLOWLIST."""
    download_bytes_per_second: int = 0
    """Into the network that the machine is on; 0: no limit."""
    upload_bytes_per_second: int = 0
    """Out of that network; 0: no limit."""
    network_id: str | None = None
    """Machines with the same one, the id of one of them, share a network; None: it shares with nobody."""
    alias: str = ""
    """The name by which machines on the same network reach this one."""
    labels: Mapping[str, str] = field(default_factory=dict)
    read_only_root: bool = False
    disk_quota: bool = False
    """Whether the engine is asked to bound the writable layer: only where a probe found that it can."""
    new_privileges: bool = False


def probe_machine_id(instance: str) -> str:
    """The machine in which the host is probed; the same each time, so that a killed probe is found."""
    return hashlib.sha256(f"probe {instance}".encode()).hexdigest()[:32]


class MachineState(StrEnum):
    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class MachineStatus:
    machine_id: str
    state: MachineState
    exit_code: int | None
    """Of PID 1, once it has exited: 124 after its deadline, 137 when killed."""
    oom_killed: bool
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Layer:
    digest: str
    size_bytes: int
    created_by: str


@dataclass(frozen=True, slots=True)
class ImageDetails:
    reference: str
    digest: str
    """`sha256:…` of the image's configuration, or of its manifest where the registry told."""
    size_bytes: int
    layers: Sequence[Layer]
    user: str
    command: Sequence[str]
    """The image's own entry point and command, joined."""
    environment: Sequence[str]
    """`NAME=value`, as the image sets it."""
    working_directory: str
    architecture: str
    volumes: Sequence[str] = ()
    """Paths for which the image wants storage of its own."""


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that this host does, or does not, really enforce."""

    name: str
    available: bool
    detail: str
    """What was probed and seen."""
    remedy: str = ""
    """For an administrator: what to do when it is not available."""
    known: bool = True
    """False: nobody could find out, and so nobody may rely on it."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    engine: str
    version: str
    items: Sequence[Capability]

    def has(self, name: str) -> bool:
        """Whether the capability of that name was probed and found."""
        return any(item.name == name and item.available for item in self.items)


@dataclass(frozen=True, slots=True)
class Belonging:
    """Something on the engine's host that carries our label and is no machine, e.g. a volume."""

    kind: str
    """`volume`, `network`, `container`, `bridge`, `filter`: what a person would look for on the host."""
    name: str
    machine_id: str | None = None
    """Whose it is: of a machine ..."""
    session_id: str | None = None
    """... or of a session; 32 hexadecimal digits."""
    of_site: bool = False
    """... or of the installation itself, which needs it as long as it runs ..."""
    is_passing: bool = False
    """... or of whoever made it a moment ago for a look at the host, and is about to take it away."""


class Stream(Protocol):
    """A byte stream to the sandboxd of one machine."""

    async def read(self, most: int) -> bytes:
        """At least one byte, or `b""` at the end. Never raises for a machine that went away: that is the end."""

    async def write(self, data: bytes) -> None:
        """Hands over all of it; waits while the other side does not read. Raises MachineUnreachable when it is gone."""

    async def close(self) -> None:
        """Idempotent. Leaves nothing behind, in the machine or here."""


ProgressCallback = Callable[[float | None, str], None]
"""Share done (0 to 1, or None when unknown) and what is being done, in words."""


class Engine(Protocol):
    """Runs machines on one host. Safe to use from many tasks of one event loop."""

    name: str

    async def ping(self) -> None:
        """Raises EngineUnavailable unless the engine answers."""

    async def incarnation(self) -> str:
        """A fingerprint of the engine that changes when what it enforces may have. Raises EngineUnavailable."""

    async def capabilities(self) -> Capabilities:
        """What the engine says that this host enforces, and what of it was tried; asked once, then remembered."""

    async def probe(self) -> Capabilities:
        """What this host really enforces, tried now in a machine that is removed again: seconds, so never in a request.

        One probe of an instance at a time. What could not be tried is `known=False`. Raises EngineUnavailable; then the
        next probe removes what is left.
        """

    async def create(self, spec: MachineSpec) -> None:
        """Makes and starts the machine and waits until sandboxd has said hello and was told its deadline.

        Raises ImageUnavailable, CapacityExceeded, EngineUnavailable, EngineRefused, MachineUnreachable. After any error
        nothing of this machine is left, except after EngineUnavailable: then `remove` it when the engine is back.
        Creating a machine id that exists replaces nothing and raises EngineRefused. A network comes with what bounds it
        in place, or not at all: CapabilityUnavailable where this host can't do that.
        """

    async def dial(self, machine_id: str) -> Stream:
        """A new stream to sandboxd, its HELLO not yet read.

        Raises MachineGone, MachineUnreachable, EngineUnavailable.
        """

    async def remove(self, machine_id: str) -> None:
        """Ends the machine and removes all that belongs to it. Absent, or already being removed, is success.

        A network that it shares goes with the last machine on it.
        """

    async def mend(self) -> None:
        """Puts back what bounds the machines' networks where somebody removed it, and removes what bounds nobody.

        Cheap when all is well; for every start and every sweep. Raises EngineUnavailable, or CapabilityUnavailable when
        there are networks that can't be bounded.
        """

    async def status(self, machine_id: str) -> MachineStatus | None:
        """How the engine sees it; None when the engine does not know it."""

    async def machines(self) -> Sequence[MachineStatus]:
        """All machines of this instance, whatever their state. The truth that the sweep compares the database with.

        What is left of a machine (a directory, a network) is listed under its id as well, so that it is removed.
        """

    async def belongings(self) -> Sequence[Belonging]:
        """What else of this instance is on the host. What belongs to nobody is for the sweep to `discard`."""

    async def discard(self, belonging: Belonging) -> None:
        """Removes it. Absent, or in use again, is success."""

    async def usage(self, machine_ids: Collection[str]) -> Mapping[str, Usage]:
        """What those of them that run or are paused have used so far, in one pass over the host.

        Who has ended, or is not known, is left out. Raises EngineUnavailable.
        """

    async def disk_usage(self, machine_id: str, most_bytes: int) -> DiskUsage | None:
        """What the machine holds in its writable layer; None when the engine does not know it.

        Once more than `most_bytes` are found it may stop counting and say so. Raises EngineUnavailable, EngineRefused.
        """

    async def limit_cpu(self, machine_id: str, cores: float) -> None:
        """Lets a machine use that many cores from now on; the same again is success.

        Raises MachineGone, EngineUnavailable, EngineRefused, and CapabilityUnavailable where `capabilities` has no
        `cpu_limit`: then nothing has changed.
        """

    async def pause(self, machine_id: str) -> None:
        """Stops every process of the machine where it is; being paused already is success.

        It keeps its memory, uses no CPU, and answers no dial until `resume`. Raises MachineGone, EngineUnavailable,
        EngineRefused.
        """

    async def resume(self, machine_id: str) -> None:
        """Lets a paused machine go on; one that runs is success. Raises as `pause`."""

    async def image(self, reference: str) -> ImageDetails | None:
        """None when this host does not have it."""

    async def pull(self, reference: str, progress: ProgressCallback) -> ImageDetails:
        """Fetches it. Raises ImageUnavailable (also when no registry answers) or EngineUnavailable."""

    async def build(self, recipe: str, reference: str, progress: ProgressCallback) -> ImageDetails:
        """Makes the image from `runtime.images` recipe of that name. Raises ImageUnavailable with what went wrong."""

    async def remove_image(self, reference: str) -> None:
        """Absent is success."""

    def events(self) -> AsyncIterator[str]:
        """Machine ids whose state may have changed. A hint that may miss any of them; `machines()` is the truth."""

    async def close(self) -> None:
        """Gives back connections; leaves every machine as it is."""
