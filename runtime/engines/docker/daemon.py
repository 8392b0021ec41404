"""A private engine's dockerd, and what mends it when a record of its networks keeps it from starting.

    python -m runtime.engines.docker.daemon DOCKERD --data-root DIRECTORY --host ADDRESS ARGUMENT ...

Runs dockerd as a child: passes its log on, and signals to it, and ends as it ends. It ends when we are killed.

The private engines of one host start one after another (`start_turns`): each removes and makes the same chains of
iptables, and one that finds a chain half done gives up.

Engine 20.10 writes a network that it removes once more without its addresses, just before it forgets it. Ended between
the two, it panics over that record at every start (libnetwork's controller.go, reservePools: index out of range). Then,
and only then, that record is mended: it forgets for which addresses it asked as well, so that dockerd reads it, sees
that it is to go, and removes what it made for it. All else stays as it is.

Should it panic over something else there, its store of networks is set aside, and what it made on the host goes.
Machines go on; those that had a network have none any more. Networks, and which machine is in which network namespace,
are all that is in that store. As long as any of these machines runs, dockerd makes no network `none` or `host` anew.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from runtime.engines.docker import private
from runtime.engines.docker.host_bridges import remove_bridge
from runtime.engines.docker.programs import program
from runtime.engines.docker.start_turns import start_turn
from runtime.parent import end_with_parent

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PANIC_STATUS = 2
"""Go's."""
KEPT_LOG = 64 << 10
"""Bytes of the end of the log; a panic's own words take less than 5 kB."""
LAST_WORDS_SECONDS = 2.0
"""For what is still in the pipe when dockerd has ended: its containerd may hold the other end open."""
START_SECONDS = 45.0
"""Of one start; it takes a few."""
ANSWER_SECONDS = 3.0
LOOK_SECONDS = 0.1
STORES = ("network/files/local-kv.db", "*/network/files/local-kv.db")
"""Below the data root; the second where users are remapped."""
SET_ASIDE = ".unreadable"
_PANIC = re.compile(rb"^panic: .*\n(?:.*\n)*?\ngoroutine \d+ \[running\]:\n(?P<frames>(?:.+\n)+)", re.M)
_OPENING_STORE = re.compile(rb"^github\.com/docker/(?:docker/(?:vendor/github\.com/docker/)?)?libnetwork\.New\(", re.M)
_MADE_BRIDGE = re.compile(rb'"BridgeIfaceCreator":1,"BridgeName":"([A-Za-z0-9_.-]{1,15})"')
"""A record of libnetwork's bridge driver; 1: the driver made the interface, and nobody else."""
_TORN = re.compile(
    rb'"inDelete":true,"ingress":(?:true|false),"internal":(?:true|false),"ipamOptions":(?:\{\}|null),"ipamType":'
    rb'"\w*",(?P<key>"ipamV4Config"):"(?:[^"\\]|\\.)*"(?!,"ipamV4Info")'
)
"""A record of libnetwork's own, as Go writes it, with its keys in order."""
FORGOTTEN = b'"ipamV4Forgot"'
"""A key that libnetwork does not know, as long as the one in whose place it comes."""


class Daemon:
    """One dockerd, started as often as needed."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._docker_host = self._argument("--host")
        self._process: subprocess.Popen[bytes] | None = None
        self._asked_to_end = False
        self._log = b""

    def _argument(self, option: str) -> str:
        return self._command[self._command.index(option) + 1]

    def run(self) -> int:
        """Until dockerd ends; its status as a shell gives it."""
        for each in PASSED_ON:
            signal.signal(each, self._pass_on)
        status = self._run_once()
        data_root, exec_root = Path(self._argument("--data-root")), Path(self._argument("--exec-root"))
        if panicked_over_networks(status, self._log) and _mend(data_root):
            status = self._run_once()
        if panicked_over_networks(status, self._log):
            _let_go_of_namespaces(exec_root)
            _set_aside(data_root)
            status = self._run_once()
        return status if status >= 0 else 128 - status

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_end |= number != signal.SIGHUP
        if self._process is not None:
            self._process.send_signal(number)

    def _run_once(self) -> int:
        self._log = b""
        with start_turn(lambda: self._asked_to_end):
            process = self._start()
            if process is None:
                return 0
            assert process.stderr is not None
            reader = threading.Thread(target=self._read, args=(process.stderr,), daemon=True)
            reader.start()
            self._until_it_answers(process)
        status = process.wait()
        reader.join(LAST_WORDS_SECONDS)
        return status

    def _start(self) -> subprocess.Popen[bytes] | None:
        """None: somebody has asked us to end meanwhile."""
        # Whoever asks us to end in the middle of this means what we are about to start.
        signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
        try:
            if self._asked_to_end:
                return None
            self._process = subprocess.Popen(
                self._command,
                env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                preexec_fn=_as_a_child,
            )
            return self._process
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)

    def _until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        """Or has ended, or is so slow that others should not wait for it any longer."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and not private.answers(self._docker_host, ANSWER_SECONDS):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_SECONDS)
                return

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            # Also when nobody listens to us any more: a pipe that nobody reads would stop dockerd.
            with contextlib.suppress(OSError):
                sys.stderr.buffer.write(line)
                sys.stderr.buffer.flush()
            self._log = (self._log + line)[-KEPT_LOG:]


def _as_a_child() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    end_with_parent()


def panicked_over_networks(status: int, log: bytes) -> bool:
    """Whether dockerd ended with a panic of Go's in what reads the store of networks, which it does at its start."""
    found = _PANIC.search(log) if status == PANIC_STATUS else None
    return found is not None and _OPENING_STORE.search(found["frames"]) is not None


def _mend(data_root: Path) -> bool:
    """False: there is nothing that we could mend."""
    found = [store for store in stores(data_root) if mend(store)]
    for store in found:
        sys.stderr.write(
            f"dockerd can't read its networks. What it was removing is mended in {store}; starting again.\n"
        )
    sys.stderr.flush()
    return bool(found)


def mend(store: Path) -> bool:
    """Has torn records of networks that are to go forget their addresses; False: there are none.

    All else stays, byte for byte. In place: it needs no room, and the file has no sums to keep right.
    """
    places = [found.start("key") for found in _TORN.finditer(store.read_bytes())]
    if places:
        with store.open("r+b", buffering=0) as file:
            for place in places:
                file.seek(place)
                file.write(FORGOTTEN)
            os.fsync(file.fileno())
    return bool(places)


def _let_go_of_namespaces(exec_root: Path) -> None:
    """Of machines: which is whose, the store alone knows, and dockerd would hold them for ever.

    What runs in one keeps it for as long as it runs. Before the store goes: whoever is ended in between does it again.
    """
    umount = program("umount") or "umount"
    for place in (exec_root / "netns").glob("*"):
        subprocess.run([umount, "--lazy", place], capture_output=True, check=False)
        with contextlib.suppress(OSError):
            place.unlink()


def _set_aside(data_root: Path) -> None:
    """The store, and the bridges that it says dockerd made: their addresses will be given to others."""
    for store in stores(data_root):
        for name in made_bridges(store.read_bytes()):
            remove_bridge(name)
        aside = store.with_name(store.name + SET_ASIDE)
        store.replace(aside)
        sys.stderr.write(f"dockerd can't read its networks. They are set aside in {aside}; starting again.\n")
    sys.stderr.flush()


def stores(data_root: Path) -> Iterator[Path]:
    """The files that hold an engine's networks."""
    for pattern in STORES:
        yield from data_root.glob(pattern)


def made_bridges(store: bytes) -> list[str]:
    """Names of the bridges that an engine made itself, also of some that have gone, as its store has them."""
    return sorted({name.decode() for name in _MADE_BRIDGE.findall(store)})


if __name__ == "__main__":
    sys.exit(Daemon(sys.argv[1:]).run())
