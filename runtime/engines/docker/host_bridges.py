"""Bridges on this host, made and removed without the engine. Standard library alone; as root."""

import contextlib
import fcntl
import socket
import struct
import subprocess
import time
from pathlib import Path

from runtime.engines.docker.programs import program
from runtime.errors import EngineUnavailable

SIOCSIFFLAGS = 0x8914
SIOCBRADDBR = 0x89A0
SIOCBRDELBR = 0x89A1
"""linux/sockios.h: set an interface's flags; make a bridge of that name; remove it."""


def make_bridge(name: str) -> None:
    """There already is success. Raises EngineUnavailable where none can be made."""
    with socket.socket(socket.AF_UNIX) as handle:
        try:
            fcntl.ioctl(handle, SIOCBRADDBR, name.encode() + b"\0")
        except FileExistsError:
            pass
        except OSError as error:
            raise EngineUnavailable(f"This host does not let us make a network bridge: {error.strerror}.") from error


def ages_of_bridges(prefix: str) -> dict[str, float]:
    """The bridges of this host whose names begin so; seconds since each was seen first, or less."""
    ages: dict[str, float] = {}
    for place in Path("/sys/class/net").glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if (place / "bridge").is_dir():
                ages[place.name] = time.time() - place.stat().st_mtime
    return ages


def remove_bridge(name: str) -> None:
    """Removes a bridge whose engine has stopped, and the packet rules that name it. Absent is success."""
    _remove_rules(name)
    # Also what keeps iproute2 from being another thing to install.
    with socket.socket(socket.AF_UNIX) as handle, contextlib.suppress(OSError):
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), 0))
        fcntl.ioctl(handle, SIOCBRDELBR, name.encode() + b"\0")


def _remove_rules(name: str) -> None:
    for tool in ("iptables", "ip6tables"):
        path = program(tool)
        for table in ("filter", "nat") if path else ():
            command = [str(path), "--wait", "5", "--table", table]
            listed = subprocess.run([*command, "--list-rules"], capture_output=True, text=True, check=False).stdout
            for rule in listed.splitlines():
                words = rule.split()
                if words[:1] == ["-A"] and name in words:
                    subprocess.run([*command, "-D", *words[1:]], capture_output=True, check=False)
