"""Removing one machine, whoever it belonged to."""

import asyncio
from uuid import UUID

import structlog

from playground.database import in_database
from playground.engine import get_engine
from playground.sessions.states import MachineState
from playground.sessions.transitions import machine_transition
from runtime.engines.base import Belonging
from runtime.errors import RuntimeFailure

log = structlog.get_logger(__name__)

REMOVE_SECONDS = 30


async def remove_machine(machine_id: UUID) -> bool:
    """Removes it from the engine and marks its row. False: the engine could not, and the sweep will try again."""
    await in_database(machine_transition)(machine_id, MachineState.REMOVING)
    if not await remove_from_engine(machine_id.hex):
        return False
    await in_database(machine_transition)(machine_id, MachineState.REMOVED)
    return True


async def discard(belonging: Belonging) -> bool:
    """Removes what belongs to nobody; absent is success. False: the engine could not, and the sweep will try again."""
    try:
        async with asyncio.timeout(REMOVE_SECONDS):
            await get_engine().discard(belonging)
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("belonging_not_removed", kind=belonging.kind, name=belonging.name, error=type(error).__name__)
        return False
    return True


async def remove_from_engine(machine_id: str) -> bool:
    """Removes what the engine has under this id; absent is success."""
    try:
        async with asyncio.timeout(REMOVE_SECONDS):
            await get_engine().remove(machine_id)
    except (RuntimeFailure, TimeoutError) as error:
        log.warning("machine_not_removed", machine=machine_id, error=type(error).__name__)
        return False
    return True
