"""Before a recorded terminal goes: what it showed gets into its recording."""

import asyncio
import contextlib
from collections.abc import Sequence
from uuid import UUID

from playground.sessions.dialogue import talk
from runtime.errors import RuntimeFailure
from runtime.terminal.client import SandboxdClient

WAIT_SECONDS = 3.0
LOOKS = 100


async def recorded(machine_id: UUID, terminals: Sequence[str] | None = None) -> None:
    """Waits until the recorder has taken all that these terminals, or all of the machine, showed; WAIT_SECONDS at most.

    Longer is no use: no recorder runs, the machine is paused or gone, or a program prints without end. Never raises.
    """
    with contextlib.suppress(RuntimeFailure, TimeoutError):
        async with asyncio.timeout(WAIT_SECONDS), talk(machine_id) as client:
            for _ in range(LOOKS):
                if not await _awaited(client, terminals):
                    return
                await asyncio.sleep(WAIT_SECONDS / LOOKS)


async def _awaited(client: SandboxdClient, terminals: Sequence[str] | None) -> bool:
    listed = await client.terminals()
    return any(each.awaited for each in listed if terminals is None or each.terminal_id in terminals)
