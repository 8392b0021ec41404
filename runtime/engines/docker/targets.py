"""Where things are mounted in a machine, looked at before it starts: an image may have put a symbolic link there.

A link from `/tmp` into `/proc` has the engine mount over what hides and protects the kernel's files; several flaws
of container runtimes began so (CVE-2025-31133, 52565, 52881). Whatever the runtime does about it, such an image is
refused.
"""

import asyncio
import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from runtime.engines.docker.client import classified
from runtime.errors import EngineRefused

ENGINES_OWN = (
    *("/proc", "/sys", "/dev/shm", "/dev/pts", "/dev/mqueue"),  # noqa: S108 - the machine's own
    *("/etc/hosts", "/etc/hostname", "/etc/resolv.conf"),
)
GUARDED = ("/proc", "/sys", "/dev", "/.playground")
SYMBOLIC_LINK = 1 << 27
"""Of Go's os.FileMode, in which the engine tells it."""
MOST_REMEMBERED = 1000


class Targets:
    """Looks once at each image, by digest: it can't change."""

    def __init__(self) -> None:
        self._good: set[tuple[str, frozenset[str]]] = set()

    async def check(self, container: DockerContainer, digest: str, body: Mapping[str, Any]) -> None:
        """`container` was made with `body` and does not run. Raises EngineRefused for a link into what is guarded."""
        paths = frozenset(paths_of(body["HostConfig"]))
        if (digest, paths) in self._good:
            return
        for path, target in zip(sorted(paths), await _links(container, sorted(paths)), strict=True):
            if target is not None and is_guarded(target):
                raise EngineRefused(f"The image has a symbolic link at {path} that leads to {target}.")
        if len(self._good) >= MOST_REMEMBERED:
            self._good.clear()
        self._good.add((digest, paths))


def paths_of(host_config: Mapping[str, Any]) -> set[str]:
    """Everything that something is mounted on, with the directories above it."""
    mounted = [*ENGINES_OWN, *host_config["Tmpfs"], *(mount["Target"] for mount in host_config["Mounts"])]
    return {str(path) for target in mounted for path in _above(PurePosixPath(target))}


def _above(path: PurePosixPath) -> Iterable[PurePosixPath]:
    return (each for each in (path, *path.parents) if each != PurePosixPath("/"))


def is_guarded(target: str) -> bool:
    """Whether a path, its links resolved, is in what the kernel or we have put into the machine."""
    return any(target == top or target.startswith(f"{top}/") for top in GUARDED)


async def _links(container: DockerContainer, paths: list[str]) -> list[str | None]:
    return await asyncio.gather(*(_link(container, path) for path in paths))


async def _link(container: DockerContainer, path: str) -> str | None:
    """Where the link at this path of the image leads, all links resolved; None when there is none."""
    docker = container.docker
    # Not aiodocker's own request: for an error it reads a body, which an answer to HEAD has not.
    address = docker._canonicalize_url(f"containers/{container.id}/archive", versioned_api=True)
    async with classified(), docker.session.head(address, params={"path": path}) as response:
        if response.status == 404:
            return None
        if response.status != 200:
            raise DockerError(response.status, "the image's files can't be looked at")
        status = json.loads(base64.b64decode(response.headers["X-Docker-Container-Path-Stat"]))
    return str(status["linkTarget"]) if status["mode"] & SYMBOLIC_LINK else None
