"""The engine that this installation uses, as its settings say."""

import asyncio
import platform
from collections.abc import MutableMapping
from pathlib import Path
from weakref import WeakKeyDictionary

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from playground.settings.environment import BASE_DIR, EngineChoice
from runtime.config import EngineConfig
from runtime.engines.base import Engine
from runtime.engines.docker import private

SYSTEM_HOST = "unix:///var/run/docker.sock"

_engines: MutableMapping[asyncio.AbstractEventLoop, Engine] = WeakKeyDictionary()


def get_engine() -> Engine:
    """The engine of the running event loop, made on first use and shared by all of its tasks.

    It connects when it is used, so an engine that is not there raises EngineUnavailable then, not here.
    Raises ImproperlyConfigured.
    """
    loop = asyncio.get_running_loop()
    engine = _engines.get(loop)
    if engine is None:
        engine = _engines[loop] = make_engine()
    return engine


async def close_engine() -> None:
    """Gives back the connections of this loop's engine; machines stay as they are."""
    engine = _engines.pop(asyncio.get_running_loop(), None)
    if engine is not None:
        await engine.close()


def make_engine() -> Engine:
    """A new engine as PLAYGROUND_ENGINE says. Raises ImproperlyConfigured."""
    # Imported here: an installation needs the libraries of its own engine alone.
    if allowed_choice() == EngineChoice.PROCESS:
        from runtime.engines.process import ProcessEngine

        return ProcessEngine(engine_config(), debug=settings.DEBUG)
    from runtime.engines.docker.engine import DockerEngine

    return DockerEngine(engine_config())


def allowed_choice() -> EngineChoice:
    """PLAYGROUND_ENGINE. Raises ImproperlyConfigured for one that this installation may not use."""
    choice: EngineChoice = settings.PLAYGROUND_ENGINE
    if choice == EngineChoice.KUBERNETES:
        raise ImproperlyConfigured("PLAYGROUND_ENGINE: kubernetes is not available yet; use docker")
    if choice == EngineChoice.PROCESS and not settings.DEBUG:
        raise ImproperlyConfigured("PLAYGROUND_ENGINE: process isolates nobody, so it needs DEBUG=1")
    return choice


def engine_config() -> EngineConfig:
    """What the runtime is told about this installation. Makes the directory of the machines' sockets."""
    run_directory = settings.DATA / "machines"
    run_directory.mkdir(mode=0o711, exist_ok=True)
    return EngineConfig(
        instance=settings.PLAYGROUND_INSTANCE,
        run_directory=run_directory,
        sandboxd=sandboxd_binary(),
        docker_host=docker_host(),
        resolver=settings.PLAYGROUND_RESOLVERS,
        opened=settings.PLAYGROUND_EGRESS_OPEN,
        seccomp_profile=BASE_DIR / "deploy/seccomp/machine.json",
    )


def docker_host() -> str:
    """DOCKER_HOST; without it the private engine in the data directory if there is one, else the system's."""
    if settings.DOCKER_HOST:
        return str(settings.DOCKER_HOST)
    return private.docker_host(settings.DATA) if private.prepared(settings.DATA) else SYSTEM_HOST


def sandboxd_binary() -> Path:
    """The static daemon for this host's architecture, as `runtime/sandboxd/Makefile` puts it."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    return BASE_DIR / "build" / "sandboxd" / machine / "sandboxd"
