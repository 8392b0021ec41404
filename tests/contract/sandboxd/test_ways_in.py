"""How the host gets to its machine: boot, listen, bridge."""

import array
import contextlib
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.terminal import answers, frames, requests
from runtime.terminal.frames import FrameParser, FrameType
from tests.support.sandboxd import DEADLINE, Connection, Daemon, binary, wait_until

ENVIRONMENT = {"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=0"}


@pytest.fixture
def boot_socket(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.settimeout(DEADLINE)
        listening.bind(str(tmp_path / "boot"))
        listening.listen()
        yield listening


@contextlib.contextmanager
def _booting(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([binary(), "boot", path / "boot"], stderr=subprocess.PIPE, env=ENVIRONMENT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def _receive_socket(connection: socket.socket) -> socket.socket:
    data, control, _, _ = connection.recvmsg(1, socket.CMSG_LEN(4))
    assert data == b"S"
    ((level, kind, descriptors),) = control
    assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
    (descriptor,) = array.array("i", descriptors)
    return socket.socket(fileno=descriptor)


def test_boot(boot_socket: socket.socket, tmp_path: Path) -> None:
    with _booting(tmp_path) as process:
        connection, _ = boot_socket.accept()
        with connection:
            connection.settimeout(DEADLINE)
            with _receive_socket(connection) as fresh:
                assert (fresh.family, fresh.type & 0xF) == (socket.AF_UNIX, socket.SOCK_STREAM)
                fresh.bind(str(tmp_path / "machine"))
                fresh.listen()
            connection.sendall(b"K")
            assert connection.recv(1) == b"", "it keeps nothing of the way it came"
        for _ in range(2):
            with Connection(tmp_path / "machine") as host:
                assert host.hello.pid == process.pid
        with Connection(tmp_path / "machine") as host:
            host.ask(requests.start(600))
            host.ask(requests.execute(["sh", "-c", "ls -l /proc/self/fd | grep -c socket"]))
            assert host.result()[0] == b"0\n", "no socket reaches a command"


@pytest.mark.parametrize("answer", [b"", b"N"])
def test_boot_that_the_host_refuses(boot_socket: socket.socket, tmp_path: Path, answer: bytes) -> None:
    with _booting(tmp_path) as process:
        connection, _ = boot_socket.accept()
        with connection:
            _receive_socket(connection).close()
            connection.sendall(answer)
        assert process.wait(DEADLINE) == 125
        assert process.stderr is not None
        assert b"sandboxd:" in process.stderr.read()


@pytest.mark.parametrize(
    ("wanted", "found"), [("etc", "/etc"), ("no/such", "/"), ("dev/null", "/"), ("proc/self/fd/0", "/")]
)
def test_where_everything_starts(tmp_path: Path, wanted: str, found: str) -> None:
    place = tmp_path / "s"
    process = subprocess.Popen(
        [binary(), "listen", place, f"/{wanted}"], env=ENVIRONMENT, stdin=subprocess.DEVNULL, cwd="/"
    )
    try:
        wait_until(lambda: _answers(place), "it listens")
        with Connection(place) as host:
            host.ask(requests.start(600))
            host.ask(requests.execute(["pwd"]))
            assert host.result()[0].decode() == f"{found}\n"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["boot"],
        ["boot", "/a", "/b", "/c"],
        ["boot", "/no/such"],
        ["boot", "x" * 200],
        ["listen", "/no/such/a"],
        ["fly", "/"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = subprocess.run([binary(), *arguments], capture_output=True, timeout=DEADLINE, env=ENVIRONMENT, check=False)
    assert done.returncode == 125
    assert done.stderr


def test_the_socket_of_listen_is_private(daemon: Daemon) -> None:
    assert stat.S_IMODE(daemon.path.stat().st_mode) == 0o600


def test_listen_again_after_a_crash(daemon: Daemon) -> None:
    """What a killed run left in the path is replaced; what is no socket is not."""
    with daemon.connect():
        pass
    other = daemon.directory / "other"
    for _ in range(2):
        process = subprocess.Popen([binary(), "listen", other], env=ENVIRONMENT)
        try:
            wait_until(lambda: _answers(other), "it listens")
        finally:
            process.kill()
            process.wait()
    other.unlink()
    other.write_text("precious")
    done = subprocess.run(
        [binary(), "listen", other], capture_output=True, timeout=DEADLINE, env=ENVIRONMENT, check=False
    )
    assert done.returncode == 125
    assert other.read_text() == "precious"


def _answers(path: Path) -> bool:
    try:
        Connection(path).close()
    except OSError:
        return False
    return True


class Bridge:
    """`sandboxd bridge` and the frames that come through it."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [binary(), "bridge", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
        )
        self._parser = FrameParser()
        self._frames: list[frames.Frame] = []

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def frame(self) -> frames.Frame:
        assert self.process.stdout is not None
        while not self._frames:
            data = os.read(self.process.stdout.fileno(), 65_536)
            assert data
            self._frames = self._parser.feed(data)
        return self._frames.pop(0)

    def close(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(DEADLINE)


def test_bridge_carries_everything(daemon: Daemon) -> None:
    bridge = Bridge(daemon.path)
    try:
        assert answers.decode_hello(bridge.frame().body).version == 1
        bridge.send(requests.start(600))
        assert bridge.frame().type == FrameType.OK
        bridge.send(requests.open_terminal("a", ["sh", "-c", "stty raw -echo; printf r; exec cat"], cols=80, rows=24))
        assert bridge.frame().type == FrameType.OK
        bridge.send(requests.attach("a", window=1 << 20))
        assert bridge.frame().type == FrameType.OK
        assert frames.decode_output(bridge.frame().body)[1].tobytes() == b"r"
        data = os.urandom(400_000)
        got = bytearray()
        for begin in range(0, len(data), 50_000):
            bridge.send(frames.encode_input(data[begin : begin + 50_000]))
            while len(got) < begin + 50_000:
                offset, piece = frames.decode_output(bridge.frame().body)
                got += piece
                bridge.send(frames.encode_ack(offset + len(piece)))
        assert got == data
    finally:
        assert bridge.close() == 0


def test_bridge_ends_with_the_daemon(daemon: Daemon) -> None:
    bridge = Bridge(daemon.path)
    try:
        bridge.frame()
        daemon.process.kill()
        assert bridge.process.wait(DEADLINE) == 0
    finally:
        bridge.close()
        daemon.process.wait()
        daemon.process.returncode = 0


def test_bridge_waits_for_the_daemon(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path / "late")
    process = None
    try:
        process = subprocess.Popen([binary(), "listen", tmp_path / "late"], env=ENVIRONMENT)
        assert answers.decode_hello(bridge.frame().body).version == 1
    finally:
        bridge.close()
        if process:
            process.terminate()
            process.wait()


def test_bridge_lets_input_pass_a_flood(daemon: Daemon) -> None:
    """Output that the host does not read must not hold back what it sends."""
    with daemon.started() as host:
        host.open("a", ["sh", "-c", "exec cat /dev/zero"])
        bridge = Bridge(daemon.path)
        try:
            bridge.frame()
            bridge.send(requests.attach("a", window=1 << 20))
            bridge.frame()
            wait_until(lambda: host.terminals()["a"].next_offset >= 1 << 20, "the window is full")
            bridge.send(frames.encode_input(b"\x03"))
            wait_until(lambda: host.terminals()["a"].exited, "Ctrl-C has arrived")
        finally:
            bridge.close()


def test_without_start_it_ends(forgotten: Daemon) -> None:
    assert forgotten.process.wait(DEADLINE) == 125
