"""The host's side of the boot, against machines that lie."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.engines import sockets
from runtime.engines.boot import BootSocket, forget
from runtime.errors import EngineRefused, MachineUnreachable


@pytest.fixture
def sandboxd(tmp_path: Path) -> Path:
    binary = tmp_path / "sandboxd"
    binary.write_text("#!/bin/true\n")
    binary.chmod(0o755)
    return binary


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Deeper than the 108 bytes that the path of a Unix socket may have."""
    above = tmp_path / ("d" * 120)
    above.mkdir()
    return above / "machine"


@contextlib.contextmanager
def inside(guest: Path) -> Iterator[socket.socket]:
    """What the machine does: it connects to the boot socket."""
    directory = os.open(guest, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"/proc/self/fd/{directory}/boot")
        os.close(directory)
        yield connection


async def test_the_socket_of_the_machine_is_bound_where_it_cannot_see(machine: Path, sandboxd: Path) -> None:
    with BootSocket(machine, sandboxd) as boot, socket.socket(socket.AF_UNIX) as own:
        binding = asyncio.create_task(boot.bind())
        with inside(boot.guest) as connection:
            socket.send_fds(connection, [b"S"], [own.fileno()])
            await binding
            assert connection.recv(1) == b"K"
        assert sorted(entry.name for entry in boot.guest.iterdir()) == ["sandboxd"]
        stream = await sockets.dial(machine / "sock")
        accepted, _ = own.accept()
        await stream.write(b"hello")
        assert accepted.recv(5) == b"hello"
        accepted.close()
        assert await stream.read(10) == b""
        with pytest.raises(MachineUnreachable):
            await stream.write(b"nobody reads")
        await stream.close()
        await stream.close()
    with pytest.raises(ConnectionRefusedError):
        await sockets.dial(machine / "sock")
    forget(machine)
    assert not machine.exists()
    forget(machine)


def bound(place: Path) -> socket.socket:
    lying = socket.socket(socket.AF_UNIX)
    sockets.bind(lying, place / "lying")
    return lying


def connected(place: Path) -> socket.socket:
    lying, other = socket.socketpair()
    other.close()
    return lying


LIES: dict[str, Callable[[Path], socket.socket]] = {
    "internet": lambda place: socket.socket(socket.AF_INET),
    "datagram": lambda place: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
    "bound already": bound,
    "connected already": connected,
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_another_socket_than_promised(
    machine: Path, sandboxd: Path, tmp_path: Path, lie: Callable[[Path], socket.socket]
) -> None:
    with BootSocket(machine, sandboxd) as boot, lie(tmp_path) as lying, inside(boot.guest) as connection:
        socket.send_fds(connection, [b"S"], [lying.fileno()])
        with pytest.raises(MachineUnreachable):
            await boot.bind()
    assert not (machine / "sock").exists()


@pytest.mark.parametrize("files", [0, 2, 5])
async def test_another_number_of_descriptors(machine: Path, sandboxd: Path, files: int) -> None:
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with socket.socket(socket.AF_UNIX) as own, BootSocket(machine, sandboxd) as boot, inside(boot.guest) as connection:
        socket.send_fds(connection, [b"S"], [own.fileno()] * files)
        with pytest.raises(MachineUnreachable):
            await boot.bind()
    # Others may have been closed meanwhile: what an earlier test forgot.
    assert set(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


async def test_a_file_in_place_of_a_socket(machine: Path, sandboxd: Path) -> None:
    with BootSocket(machine, sandboxd) as boot, sandboxd.open() as file, inside(boot.guest) as connection:
        socket.send_fds(connection, [b"S"], [file.fileno()])
        with pytest.raises(MachineUnreachable):
            await boot.bind()


@pytest.mark.parametrize("word", [b"", b"X"])
async def test_no_word_or_another(machine: Path, sandboxd: Path, word: bytes) -> None:
    with BootSocket(machine, sandboxd) as boot, socket.socket(socket.AF_UNIX) as own:
        with inside(boot.guest) as connection:
            if word:
                socket.send_fds(connection, [word], [own.fileno()])
        with pytest.raises(MachineUnreachable):
            await boot.bind()


async def test_a_directory_that_is_there_is_left_as_it_is(machine: Path, sandboxd: Path) -> None:
    machine.mkdir()
    (machine / "sock").touch()
    with pytest.raises(EngineRefused):
        BootSocket(machine, sandboxd)
    assert [entry.name for entry in machine.iterdir()] == ["sock"]
