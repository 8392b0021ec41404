"""Frozen settings of the runtime. The site builds them from its own; nothing here reads the environment."""

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Where an engine keeps its things on this host."""

    instance: str
    """Tells this installation's machines from others on the same engine; lower-case letters and digits, at most 12."""
    run_directory: Path
    """Sockets of machines. Owned by us, mode 0711."""
    sandboxd: Path
    """The static binary for this host's architecture."""
    docker_host: str = "unix:///var/run/docker.sock"
    seccomp_profile: Path | None = None
    resolver: tuple[str, ...] = ()
    """Addresses of the DNS servers of machines that reach the internet. Without any, no name resolves there."""
    opened: tuple[IPv4Network, ...] = ()
    """Networks in ranges that are closed to machines which those with egress may reach nevertheless."""
    shared_filesystem: bool | None = None
    """Whether the engine's machines can see directories of this host; None: find out."""
    ring_bytes: int = 1 << 20
    """Scrollback of each terminal."""
