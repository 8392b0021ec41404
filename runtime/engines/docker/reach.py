"""Two ways for sandboxd to get into a machine, and for us to reach it.

Shared: the engine runs on this host. The machine sees a read-only directory of ours with the binary and the boot
socket, and we keep its socket (`runtime.engines.boot`); a dial is one `connect`.

Bridged: the engine's host is another one (DOCKER_HOST=tcp://, Docker Desktop). A volume, filled once and mounted
read-only, has the binary; sandboxd listens on a tiny tmpfs, and a dial is an exec of `sandboxd bridge`.
"""

import asyncio
import contextlib
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiodocker import Docker
from aiodocker.containers import DockerContainer

from runtime.cancelling import to_its_end
from runtime.config import EngineConfig
from runtime.engines import boot, sockets
from runtime.engines.base import Stream
from runtime.engines.docker.bridge import bridge
from runtime.engines.docker.client import classified, status_of
from runtime.engines.docker.spec import Json, Way, site_labels
from runtime.errors import EngineRefused, MachineGone

INSIDE = "/.playground"
SANDBOXD = f"{INSIDE}/sandboxd"
TINY = "/.playground-run"
TINY_SOCKET = f"{TINY}/sock"
SHARED, BRIDGED = "shared", "bridged"
TRIES = 3
DOES_NOT_RUN = (404, 409)
"""What the engine answers for a machine that has ended or is paused, or seems so: it hears late of a pause's end."""


def shared_way(directory: Path, files: Mapping[str, Path], start_in: str = "/") -> Way:
    """`directory` is the machine's own on this host; `files` are mounted as well, by where the machine sees them.

    Whatever runs in the machine starts in `start_in`, a path inside, where there is such a directory.
    """
    mounts = [_read_only(directory / "guest", INSIDE), *(_read_only(source, path) for path, source in files.items())]
    return Way(SHARED, (SANDBOXD, "boot", f"{INSIDE}/boot", start_in), mounts)


def _read_only(source: Path, target: str) -> Json:
    return {
        "Type": "bind",
        "Source": str(source),
        "Target": target,
        "ReadOnly": True,
        "BindOptions": {"Propagation": "rprivate"},
    }


def bridged_way(volume: str, start_in: str = "/") -> Way:
    # NoCopy: an image that has something at this path must not fill the volume with it.
    mount: Json = {
        "Type": "volume",
        "Source": volume,
        "Target": INSIDE,
        "ReadOnly": True,
        "VolumeOptions": {"NoCopy": True},
    }
    # One page, and nothing but a socket fits: a socket takes none.
    tmpfs = {TINY: "rw,noexec,nosuid,nodev,mode=1777,size=4096,nr_inodes=4"}
    return Way(BRIDGED, (SANDBOXD, "listen", TINY_SOCKET, start_in), [mount], tmpfs)


async def dial_shared(directory: Path) -> Stream:
    """Raises FileNotFoundError, ConnectionRefusedError, MachineUnreachable."""
    return await sockets.dial(directory / "sock")


async def dial_bridged(container: DockerContainer) -> Stream:
    return await bridge(container, [SANDBOXD, "bridge", TINY_SOCKET])


@asynccontextmanager
async def boot_socket(config: EngineConfig, directory: Path) -> AsyncIterator[boot.BootSocket]:
    """Makes the machine's directory and waits there; raises EngineRefused when the machine has one already."""
    try:
        waiting = boot.BootSocket(directory, config.sandboxd)
    except OSError as error:
        raise EngineRefused(f"The run directory can't be used: {error.strerror}.") from error
    with waiting:
        yield waiting


class SandboxdVolume:
    """The volume that holds the binary for bridged machines; named after the content, so a new binary has its own."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._filling = asyncio.Lock()
        self._name: str | None = None

    async def ensure(self, docker: Docker, image: str) -> str:
        """Fills it on first use, through a container of `image` that is never started. Repeatable when interrupted."""
        async with self._filling:
            if self._name is None:
                binary = await asyncio.to_thread(self._config.sandboxd.read_bytes)
                name = volume_name(self._config.instance, binary)
                for attempt in range(TRIES):
                    try:
                        # Cancelled, it ends later: the filler must not outlive what the engine goes on with.
                        await to_its_end(asyncio.create_task(self._fill(docker, image, name, binary)))
                        break
                    except MachineGone:  # another process was done with the filler, and removed it
                        if attempt == TRIES - 1:
                            raise
                self._name = name
        return self._name

    async def _fill(self, docker: Docker, image: str, name: str, binary: bytes) -> None:
        labels = site_labels(self._config.instance)
        body: Json = {
            "Image": image,
            "Entrypoint": [SANDBOXD],
            "Labels": labels,
            "HostConfig": {
                "NetworkMode": "none",
                "Mounts": [
                    {
                        "Type": "volume",
                        "Source": name,
                        "Target": INSIDE,
                        "VolumeOptions": {"NoCopy": True, "Labels": labels},
                    }
                ],
            },
        }
        filler = await _found_or_made(docker, body, f"{name}-filler")
        try:
            async with classified():
                if not await _holds(filler, binary):
                    await filler.put_archive(INSIDE, _archive(binary))  # type: ignore[no-untyped-call] # aiodocker's
        finally:
            with contextlib.suppress(MachineGone):
                async with classified():
                    await filler.delete(force=True, v=True)  # v: volumes that the image declares


def volume_name(instance: str, binary: bytes) -> str:
    """Of the volume that holds this binary."""
    return f"playground-{instance}-{hashlib.sha256(binary).hexdigest()[:12]}"


async def _found_or_made(docker: Docker, body: Json, name: str) -> DockerContainer:
    """Who is killed here leaves it for the next one, and two at once share it."""
    try:
        async with classified():
            return await docker.containers.create(body, name=name)
    except EngineRefused as error:
        if status_of(error) != 409:
            raise
    return docker.containers.container(name)


async def _holds(filler: DockerContainer, binary: bytes) -> bool:
    """Replacing the file under machines that start right now would break them, so look first."""
    try:
        async with classified():
            archive = await filler.get_archive(SANDBOXD)
    except Exception as error:
        if status_of(error) == 404:
            return False
        raise
    with archive:
        member = archive.extractfile("sandboxd")
        return member is not None and member.read() == binary


def _archive(binary: bytes) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("sandboxd")
        entry.size, entry.mode = len(binary), 0o755
        archive.addfile(entry, io.BytesIO(binary))
    packed.seek(0)
    return packed


async def await_bridge(container: DockerContainer) -> Stream:
    """Dials until sandboxd has made its socket. The caller sets the deadline and watches for the machine's end."""
    while True:
        try:
            stream = await dial_bridged(container)
        except EngineRefused as error:
            if status_of(error) != 409:  # 409: it does not run any more, and who watches it knows why
                raise
        else:
            first = await stream.read(1)
            if first:
                return _Unread(stream, first)
            await stream.close()
        await asyncio.sleep(0.02)


class _Unread:
    """A stream whose first bytes were read already."""

    def __init__(self, stream: Stream, first: bytes) -> None:
        self._stream, self._first = stream, first

    async def read(self, most: int) -> bytes:
        if self._first:
            data, self._first = self._first[:most], self._first[most:]
            return data
        return await self._stream.read(most)

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    async def close(self) -> None:
        await self._stream.close()
