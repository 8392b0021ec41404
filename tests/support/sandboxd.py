"""Drives the real daemon as a plain process, frame by frame over its socket.

The environment variable SANDBOXD names the binary under test; otherwise it is built first.
"""

import contextlib
import ctypes
import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from runtime.terminal import answers, frames, requests
from runtime.terminal.answers import ExitStatus, Hello, Refused, TerminalStatus
from runtime.terminal.frames import Frame, FrameParser, FrameType
from tests.support.waiting import WITHIN, wait

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "runtime" / "sandboxd"
DEADLINE = WITHIN
"""Seconds that any one thing may take before a test gives up on it."""


def make(target: str, output: str) -> Path:
    """Builds a target of sandboxd's Makefile; returns what it made, below build/sandboxd."""
    done = subprocess.run(
        ["make", "-C", str(SOURCES), target], capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        raise AssertionError(f"make {target} failed:\n{done.stdout}\n{done.stderr}")
    return ROOT / "build" / "sandboxd" / output


@functools.cache
def binary() -> Path:
    """The daemon under test."""
    given = os.environ.get("SANDBOXD")
    return Path(given) if given else make("all", f"{os.uname().machine}/sandboxd")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Returns as soon as the condition holds; fails with `what` when it does not within the deadline."""
    wait(condition, what, DEADLINE, every=0.002)


class Connection:
    """One connection of the host, with its HELLO already read."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self._parser = FrameParser()
        self._frames: list[Frame] = []
        try:
            self.socket.connect(str(path))
            self.hello: Hello = answers.decode_hello(self.expect(FrameType.HELLO).body)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_until_full(self, data: bytes) -> None:
        """Sends it again and again until the daemon has not taken any of it for 0.3 s."""
        self.socket.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            while True:
                self.socket.sendall(data)
        self.socket.settimeout(DEADLINE)

    def frame(self) -> Frame | None:
        """The next frame; None at the end of the connection."""
        while not self._frames:
            data = self.socket.recv(1 << 18)
            if not data:
                return None
            self._frames = self._parser.feed(data)
        return self._frames.pop(0)

    def has_frame(self) -> bool:
        """Whether one is there, or arrives at once."""
        if self._frames:
            return True
        self.socket.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            self._frames = self._parser.feed(self.socket.recv(1 << 18))
        self.socket.settimeout(DEADLINE)
        return bool(self._frames)

    def expect(self, frame_type: FrameType) -> Frame:
        """The next frame, which must be of that type."""
        frame = self.frame()
        assert frame is not None, f"the connection ended, {frame_type.name} was expected"
        assert frame.type == frame_type, f"{FrameType(frame.type).name}, not {frame_type.name}: {frame.body!r}"
        return frame

    def expect_any(self) -> Frame:
        """The next frame, which must come."""
        frame = self.frame()
        assert frame is not None, "the connection ended"
        return frame

    def ask(self, request: bytes) -> Frame:
        """Sends a request; its OK."""
        self.send(request)
        return self.expect(FrameType.OK)

    def refusal(self, request: bytes = b"") -> Refused:
        """Sends a request; its ERROR."""
        self.send(request)
        return answers.decode_refused(self.expect(FrameType.ERROR).body)

    def expect_end(self) -> None:
        assert self.frame() is None

    def terminals(self) -> dict[str, TerminalStatus]:
        listed = answers.decode_terminals(self.ask(requests.list_terminals()).body)
        return {terminal.terminal_id: terminal for terminal in listed}

    def open(self, terminal_id: str, command: Sequence[str], **options: object) -> int:
        """The PID of the process on a new terminal of 80 x 24."""
        request = requests.open_terminal(terminal_id, command, cols=80, rows=24, **options)  # type: ignore[arg-type]  # tests pass what the builder takes
        return answers.decode_pid(self.ask(request).body)

    def attach(self, terminal_id: str, window: int = 1 << 20, **options: object) -> answers.Attached:
        request = requests.attach(terminal_id, window=window, **options)  # type: ignore[arg-type]  # as above
        return answers.decode_attached(self.ask(request).body)

    def output_until(self, wanted: bytes, acknowledge: bool = True) -> bytes:
        """Output of the terminal up to and with these bytes; checks that offsets are continuous."""
        got, at = bytearray(), -1
        while wanted not in got:
            frame = self.frame()
            assert frame is not None, f"the connection ended after {bytes(got[-200:])!r}"
            if frame.type != FrameType.OUTPUT:
                assert frame.type in {FrameType.INPUT_ACK, FrameType.RESIZED, FrameType.RESTORE}, frame.body
                continue
            offset, data = frames.decode_output(frame.body)
            assert at in {-1, offset}
            got += data
            at = offset + len(data)
            if acknowledge:
                self.send(frames.encode_ack(at))
        return bytes(got)

    def output_to_exit(self) -> tuple[bytes, ExitStatus]:
        """All that is left, acknowledged as it comes, and how the process ended."""
        got = bytearray()
        while True:
            frame = self.frame()
            assert frame is not None, f"no EXIT after {bytes(got[-200:])!r}"
            if frame.type == FrameType.EXIT:
                return bytes(got), answers.decode_exit(frame.body)
            if frame.type == FrameType.OUTPUT:
                offset, data = frames.decode_output(frame.body)
                got += data
                self.send(frames.encode_ack(offset + len(data)))

    def result(self) -> tuple[bytes, bytes, ExitStatus]:
        """What a command wrote to each stream, and how it ended."""
        streams: dict[int, bytearray] = {FrameType.STDOUT: bytearray(), FrameType.STDERR: bytearray()}
        ended: set[int] = set()
        while True:
            frame = self.frame()
            assert frame is not None, f"no EXIT after {streams}"
            if frame.type == FrameType.EXIT:
                assert ended == set(streams), "a stream had no end"
                return (*map(bytes, streams.values()), answers.decode_exit(frame.body))  # type: ignore[return-value]  # there are two
            assert frame.type not in ended
            streams[frame.type] += frame.payload
            if not frame.payload:
                ended.add(frame.type)


class Daemon:
    """A sandboxd of its own, with its own directory; leaves neither behind."""

    def __init__(self, environment: dict[str, str] | None = None, before: Callable[[], None] | None = None) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="sandboxd-test-"))
        self.path = self.directory / "socket"
        self.log = (self.directory / "log").open("w+b")
        self.process = subprocess.Popen(
            [binary(), "listen", self.path],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env={"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=0", **(environment or {})},
            preexec_fn=before,  # noqa: PLW1509 - one call of the kernel, and no thread runs here
        )
        wait_until(self._listens, "sandboxd listens")

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.complaints()
        return self.path.exists()

    def complaints(self) -> str:
        """What it wrote: nothing, unless it was built to check itself and found something."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def connect(self) -> Connection:
        end = time.monotonic() + DEADLINE
        while True:
            try:
                return Connection(self.path)
            except ConnectionRefusedError:  # bound, not yet listening
                assert time.monotonic() < end
                time.sleep(0.002)

    def started(self, seconds: int = 600, ring_bytes: int | None = None) -> Connection:
        """A connection after START."""
        connection = self.connect()
        connection.ask(requests.start(seconds, ring_bytes))
        return connection

    def wait(self) -> int:
        """Its exit status, when it ends by itself."""
        return self.process.wait(DEADLINE)

    def resident_kib(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def stop(self) -> None:
        """Ends it; fails the test when it had crashed before or complained."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            complaints = self.complaints()
            self.log.close()
            shutil.rmtree(self.directory)
        assert not complaints, complaints
        assert status >= 0, f"ended by signal {-status}"


def ignore_all_signals() -> None:
    """For `preexec_fn`. By the kernel's call: a libc refuses those that it keeps for its threads, runtimes of other
    languages ignore them all the same."""
    number = {"x86_64": 13, "aarch64": 134}[os.uname().machine]
    ignore = (ctypes.c_ulong * 4)(1)
    for each in set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTERM}:
        if ctypes.CDLL(None, use_errno=True).syscall(number, each, ctypes.byref(ignore), None, 8):
            raise OSError(ctypes.get_errno(), f"signal {each}")


def alive(pid: int) -> bool:
    """Whether that process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def daemons(environment: dict[str, str] | None = None) -> Iterator[Daemon]:
    """For fixtures: a daemon that is stopped afterwards."""
    daemon = Daemon(environment)
    try:
        yield daemon
    finally:
        daemon.stop()
