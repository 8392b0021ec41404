"""The engine's events, as hints: it keeps few and drops them silently, and so may we."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from aiodocker import Docker

from runtime.config import EngineConfig
from runtime.engines.docker.client import DockerClient, classified
from runtime.engines.docker.spec import INSTANCE_LABEL, MACHINE_LABEL
from runtime.errors import RuntimeFailure

KINDS = ["start", "die", "oom", "pause", "unpause", "destroy"]
RECONNECT_SECONDS = 1.0


async def machine_events(config: EngineConfig) -> AsyncGenerator[str, None]:
    """Machine ids, without end: when the engine goes away, it waits for it to come back."""
    while True:
        with contextlib.suppress(RuntimeFailure):
            async with contextlib.aclosing(_one_connection(config)) as ids:
                async for machine_id in ids:
                    yield machine_id
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen(docker: Docker, instance: str) -> None:
    filters = {"type": ["container"], "event": KINDS, "label": [f"{INSTANCE_LABEL}={instance}"]}
    async with classified(None):
        await docker.events.run(filters=filters)


async def _one_connection(config: EngineConfig) -> AsyncGenerator[str, None]:
    # aiodocker has one event stream per client, so each listener has a client of its own.
    client = DockerClient(config.docker_host)
    try:
        docker = await client.api()
        channel = docker.events.subscribe(create_task=False)  # type: ignore[no-untyped-call] # aiodocker's
        listening = asyncio.create_task(_listen(docker, config.instance))
        try:
            while (event := await channel.get()) is not None:
                machine_id = event["Actor"]["Attributes"].get(MACHINE_LABEL)
                if machine_id:
                    yield machine_id
            await listening
        finally:
            listening.cancel()
            await asyncio.wait({listening})
    finally:
        await client.close()
