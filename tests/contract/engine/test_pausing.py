"""A paused machine stays as it is, does nothing, and goes on where it was."""

import asyncio
import contextlib

import pytest

from runtime.engines.base import MachineState
from runtime.errors import MachineGone, MachineUnreachable
from tests.support.engine import Case
from tests.support.machine_terminal import MachineTerminal, attached, run, talking
from tests.support.waiting import WITHIN, until

NOBODY = "0" * 32
COUNTING = "n=0; while :; do n=$((n + 1)); echo at $n; sleep 0.01; done"


async def _state(case: Case, machine_id: str) -> MachineState | None:
    status = await case.engine.status(machine_id)
    return status.state if status else None


async def _runs(case: Case, machine_id: str) -> None:
    """Docker hears of what it did itself, and late: a pause that is over can be its state once more, for a moment."""

    async def is_running() -> bool:
        return await _state(case, machine_id) is MachineState.RUNNING

    await until(is_running, "it runs")


async def _goes_on(terminal: MachineTerminal) -> bool:
    """Whether it says more than what was on its way: it counts a hundred times a second, so a silent one is a pause.

    What it counted while the engine was slow to pause it is on its way as well.
    """
    for _ in range(3000):
        try:
            async with asyncio.timeout(1):
                await terminal.read()
        except TimeoutError:
            return False
    return True


async def test_nothing_runs_until_it_is_resumed(case: Case) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            await client.open("count", ["/bin/sh", "-c", COUNTING])
        async with attached(case.engine, machine_id, "count") as terminal:
            await terminal.expect("at 3")
            await case.engine.pause(machine_id)
            assert await _state(case, machine_id) is MachineState.PAUSED
            assert [status.state for status in await case.engine.machines()] == [MachineState.PAUSED]
            # What was on its way arrives, and then nothing: a counter that went on would be heard of at once.
            assert not await _goes_on(terminal)
            await case.engine.resume(machine_id)
            await _runs(case, machine_id)
            assert await terminal.read()
        assert (await run(case.engine, machine_id, "true")).status.exit_code == 0


async def test_pausing_and_resuming_are_idempotent(case: Case) -> None:
    async with case.machine() as machine_id:
        await case.engine.resume(machine_id)
        for _ in range(2):
            await case.engine.pause(machine_id)
        assert await _state(case, machine_id) is MachineState.PAUSED
        for _ in range(2):
            await case.engine.resume(machine_id)
        await _runs(case, machine_id)


async def test_a_paused_machine_is_not_said_to_be_gone(case: Case) -> None:
    async with case.machine() as machine_id:
        await case.engine.pause(machine_id)
        with contextlib.suppress(MachineUnreachable):
            await (await case.engine.dial(machine_id)).close()
        await case.engine.resume(machine_id)


async def test_a_paused_machine_can_be_removed(case: Case) -> None:
    async with case.machine() as machine_id:
        await case.engine.pause(machine_id)
        await case.engine.remove(machine_id)
        assert await _state(case, machine_id) is None


async def test_nobody_can_be_paused(case: Case) -> None:
    for act in (case.engine.pause, case.engine.resume):
        with pytest.raises(MachineGone):
            await act(NOBODY)


async def test_what_has_ended_can_not_be_paused(case: Case) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            await client.open("main", ["/bin/sh", "-c", "read go"], main=True)
        async with attached(case.engine, machine_id, "main") as terminal:
            await terminal.send_line("go")
        async with asyncio.timeout(WITHIN):
            while await _state(case, machine_id) is not MachineState.EXITED:
                await asyncio.sleep(0.02)
        with pytest.raises(MachineGone):
            await case.engine.pause(machine_id)
