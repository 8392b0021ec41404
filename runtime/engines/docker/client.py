"""Docker's API by aiodocker, and the one place where its errors become ours."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError

from runtime.errors import (
    CapacityExceeded,
    EngineRefused,
    EngineUnavailable,
    ImageUnavailable,
    MachineGone,
    RuntimeFailure,
)

CALL_SECONDS = 60.0
CONNECT_SECONDS = 5.0
PREFERRED_API = (1, 41)
"""Docker Engine 20.10's: what we are tested with. Newer engines speak it, or tell the oldest version that they do."""

FULL = re.compile(
    "no space left|cannot allocate memory|too many open files|resource temporarily unavailable"
    "|address pool|exhausted|quota exceeded",
    re.IGNORECASE,
)
PATHS = re.compile(r"(?<![\w:/.])(?:/[\w.@+~-]+){2,}")
NOT_ANSWERING = "The container engine does not answer."


def classify(error: Exception) -> RuntimeFailure:
    """What an error of aiodocker, aiohttp or the socket below means. Tells no path of the host."""
    if not isinstance(error, DockerError) or error.status in {900, 503}:
        return EngineUnavailable(NOT_ANSWERING)
    message = PATHS.sub("…", str(error.message)).strip()
    message = message.splitlines()[0][:300] if message else f"status {error.status}"
    if error.status == 404 and "image" in message.lower():
        return ImageUnavailable(message)
    if error.status == 404 and "container" in message.lower():
        return MachineGone("The machine is gone.")
    if FULL.search(message):
        return CapacityExceeded(f"The container engine has no room left: {message}")
    return EngineRefused(f"The container engine refused: {message}")


@asynccontextmanager
async def classified(seconds: float | None = CALL_SECONDS) -> AsyncIterator[None]:
    """Raises only our own errors; a call that takes longer than that many seconds is an engine that does not answer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (DockerError, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise classify(error) from error


def status_of(error: BaseException | None) -> int:
    """The HTTP status behind one of our errors; 0 when there is none."""
    cause = error.__cause__ if error is not None else None
    return cause.status if isinstance(cause, DockerError) else 0


class DockerClient:
    """Connects on first use, and speaks a version of the API that the engine knows."""

    def __init__(self, docker_host: str) -> None:
        self._docker_host = docker_host
        self._docker: aiodocker.Docker | None = None
        self._connector: aiohttp.BaseConnector | None = None
        self._opening = asyncio.Lock()

    async def api(self) -> aiodocker.Docker:
        """Raises EngineUnavailable."""
        if self._docker is None:
            async with self._opening:
                if self._docker is None:
                    self._docker = await self._open()
        return self._docker

    async def _open(self) -> aiodocker.Docker:
        if self._connector is None:
            self._connector = self._make_connector()
        asking = self._make("auto")
        try:
            async with classified(CONNECT_SECONDS):
                version = await asking.version()
        finally:
            await asking.close()
        return self._make(f"v{choose_api(version['ApiVersion'], version.get('MinAPIVersion', ''))}")

    def _make_connector(self) -> aiohttp.BaseConnector | None:
        """Every bridged terminal holds a connection for as long as it is open, so their number has no limit here.

        None for TCP: there aiodocker brings the certificates that DOCKER_CERT_PATH names.
        """
        parts = urlsplit(self._docker_host)
        return aiohttp.UnixConnector(path=parts.path, limit=0) if parts.scheme == "unix" else None

    def _make(self, api_version: str) -> aiodocker.Docker:
        return aiodocker.Docker(
            url="unix://localhost" if self._connector is not None else self._docker_host,
            connector=self._connector,
            timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS),
            api_version=api_version,
        )

    async def close(self) -> None:
        """Gives back all connections; the next call opens new ones."""
        docker, self._docker = self._docker, None
        connector, self._connector = self._connector, None
        if docker is not None:
            await docker.close()
        if connector is not None:
            await connector.close()


def choose_api(newest: str, oldest: str) -> str:
    """The version to speak, given what the engine says of itself. Pure."""
    low, high = _numbers(oldest) or PREFERRED_API, _numbers(newest) or PREFERRED_API
    major, minor = min(max(PREFERRED_API, low), high)
    return f"{major}.{minor}"


def _numbers(version: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None
