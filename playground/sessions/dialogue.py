"""A connection to the sandboxd of one machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from playground.engine import get_engine
from runtime.terminal.client import SandboxdClient


@asynccontextmanager
async def talk(machine_id: UUID) -> AsyncIterator[SandboxdClient]:
    """Dials the machine and reads its hello; closes the connection afterwards. Raises RuntimeFailure."""
    async with SandboxdClient(await get_engine().dial(machine_id.hex)) as client:
        yield client
