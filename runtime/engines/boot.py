"""The host's side of a machine's first moments (PROTOCOL.md, section 5): it gives the machine's socket a place.

A machine's directory on the host:

    guest/            mounted read-only at /.playground
    guest/sandboxd    a hard link, or a copy
    guest/boot        the socket on which we wait for this one machine; gone once it came
    sock              the machine's socket, bound by us, outside of what the machine sees
    etc/              files that the engine mounts one by one, read-only (`runtime.engines.docker.etc`)
"""

import array
import asyncio
import contextlib
import os
import shutil
import socket
import stat
from pathlib import Path

from runtime.engines import sockets
from runtime.errors import EngineRefused, MachineUnreachable

READY, BOUND = b"S", b"K"
BACKLOG = 128


class BootSocket:
    """Waits for the sandboxd of one machine. Use as a context manager: leaving it closes what it listens on."""

    def __init__(self, directory: Path, sandboxd: Path) -> None:
        """Makes the directory; raises EngineRefused when it exists, and leaves that one as it is.

        Raises OSError, and leaves nothing behind, when the place can't be used.
        """
        self.guest = directory / "guest"
        self.path = directory / "sock"
        try:
            directory.mkdir()
        except FileExistsError as error:
            raise EngineRefused("A machine of this id exists already.") from error
        self._boot = self.guest / "boot"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self._furnish(directory, sandboxd)
        except BaseException:
            self._listener.close()
            forget(directory)
            raise

    def _furnish(self, directory: Path, sandboxd: Path) -> None:
        directory.chmod(0o711)
        self.guest.mkdir()
        self.guest.chmod(0o755)
        _link(sandboxd, self.guest / "sandboxd")
        sockets.bind(self._listener, self._boot)
        self._boot.chmod(0o666)  # whatever user the image runs as; the directory above is known to this machine alone
        self._listener.listen(1)

    def __enter__(self) -> "BootSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    async def bind(self) -> None:
        """Returns when the machine's socket is bound and listens. Raises MachineUnreachable when what came is odd."""
        loop = asyncio.get_running_loop()
        connection, _ = await loop.sock_accept(self._listener)
        with connection:
            connection.setblocking(False)
            with await _receive(connection) as machine_socket:
                sockets.bind(machine_socket, self.path)
                self.path.chmod(0o600)
                machine_socket.listen(BACKLOG)
            await loop.sock_sendall(connection, BOUND)
        self._boot.unlink()


def forget(directory: Path) -> None:
    """Removes a machine's directory; absent is success. The machine must be gone."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(directory)


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # another filesystem
        shutil.copyfile(source, target)
        target.chmod(0o755)


async def _receive(connection: socket.socket) -> socket.socket:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection.fileno(), _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(connection.fileno())
    descriptors = array.array("i")
    flags = socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT
    data, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_LEN(8 * descriptors.itemsize), flags)
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
    if data != READY or len(descriptors) != 1 or not _is_fresh(descriptors[0]):
        for descriptor in descriptors:
            os.close(descriptor)
        raise MachineUnreachable("The machine did not start as it should.")
    return socket.socket(fileno=descriptors[0])


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def _is_fresh(descriptor: int) -> bool:
    """An unbound, unconnected Unix stream socket and nothing else: the machine is not to be trusted."""
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return False
    with socket.socket(fileno=os.dup(descriptor)) as candidate:
        listening = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        fits = (candidate.family, candidate.type) == (socket.AF_UNIX, socket.SOCK_STREAM)
        if not fits or listening or candidate.getsockname() not in {"", b""}:
            return False
        try:
            candidate.getpeername()
        except OSError:
            return True
        return False
