"""Making, finding and removing machines."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from runtime.engines.base import MachineState
from runtime.errors import EngineRefused, ImageUnavailable, MachineGone
from runtime.terminal.client import SandboxdClient
from tests.support.engine import UNKNOWN_IMAGE, Case
from tests.support.machine_terminal import attached, run, talking
from tests.support.waiting import until

NOBODY = "0" * 32


async def test_a_created_machine_was_told_its_deadline_and_runs(case: Case) -> None:
    async with case.machine() as machine_id:
        status = await case.engine.status(machine_id)
        assert status is not None
        assert status.state is MachineState.RUNNING
        assert status.exit_code is None
        assert not status.oom_killed
        async with talking(case.engine, machine_id) as client:
            assert client.hello is not None
            assert client.hello.started
            assert await client.terminals() == []


async def test_labels_and_ids_are_found_again(case: Case) -> None:
    async with case.machine(labels={"playground.test": "first"}) as first, case.machine() as second:
        found = {status.machine_id: status for status in await case.engine.machines()}
        assert set(found) == {first, second}
        assert found[first].labels["playground.test"] == "first"
        assert "playground.test" not in found[second].labels


async def test_an_id_that_exists_is_refused_and_replaces_nothing(case: Case) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            await client.open("kept", ["/bin/sh"])
        with pytest.raises(EngineRefused):
            await case.engine.create(case.spec(machine_id=machine_id))
        async with talking(case.engine, machine_id) as client:
            assert [terminal.terminal_id for terminal in await client.terminals()] == ["kept"]


async def test_of_two_creates_of_one_id_one_wins(case: Case) -> None:
    spec = case.spec()
    try:
        outcomes = await asyncio.gather(*(case.engine.create(spec) for _ in range(2)), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["EngineRefused", "NoneType"]
        assert (await run(case.engine, spec.machine_id, "true")).status.exit_code == 0
    finally:
        await case.engine.remove(spec.machine_id)


async def test_an_unknown_image_leaves_nothing(case: Case) -> None:
    spec = case.spec(image=UNKNOWN_IMAGE)
    with pytest.raises(ImageUnavailable):
        await case.engine.create(spec)
    assert await case.engine.status(spec.machine_id) is None
    assert await case.engine.machines() == []


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05, 0.2])
async def test_a_create_that_is_cancelled_leaves_nothing(case: Case, after: float) -> None:
    spec = case.spec()
    creating = asyncio.create_task(case.engine.create(spec))
    await asyncio.wait({creating}, timeout=after)
    if creating.done():
        creating.result()
        await case.engine.remove(spec.machine_id)
        return
    creating.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await creating

    async def is_gone() -> bool:
        return await case.engine.status(spec.machine_id) is None

    await until(is_gone, "the cancelled machine is gone")


async def test_a_removed_machine_can_be_made_again(case: Case) -> None:
    spec = case.spec()
    for _ in range(2):
        await case.engine.create(spec)
        await case.engine.remove(spec.machine_id)
        assert await case.engine.status(spec.machine_id) is None


async def test_removing_is_idempotent(case: Case) -> None:
    await case.engine.remove(NOBODY)
    async with case.machine() as machine_id:
        await asyncio.gather(*(case.engine.remove(machine_id) for _ in range(3)))
        await case.engine.remove(machine_id)
        assert await case.engine.status(machine_id) is None


async def test_removing_ends_everything_inside(case: Case) -> None:
    """Also what left its terminal, its session and its parent, and does not listen to signals."""
    async with case.machine() as machine_id:
        stubborn = 'trap "" TERM HUP INT; echo up; while :; do sleep 0.1; done'
        async with talking(case.engine, machine_id) as client:
            await client.open("stubborn", ["/bin/sh", "-c", f"({stubborn}) & {stubborn}"])
    # The case's own end looks for what is left.


async def test_nobody_is_gone(case: Case) -> None:
    assert await case.engine.status(NOBODY) is None
    with pytest.raises(MachineGone):
        await case.engine.dial(NOBODY)


async def test_a_machine_ends_at_its_deadline_by_itself(case: Case) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            await client.deadline(1)
        await _ended(case, machine_id)
        status = await case.engine.status(machine_id)
        assert status is not None
        assert status.exit_code == 124
        assert [status.state for status in await case.engine.machines()] == [MachineState.EXITED]
        with pytest.raises(MachineGone):
            await case.engine.dial(machine_id)


@pytest.mark.parametrize(("command", "exit_code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)])
async def test_a_machine_ends_with_its_main_process(case: Case, command: str, exit_code: int) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            await client.open("main", ["/bin/sh", "-c", f"read go; {command}"], main=True)
        async with attached(case.engine, machine_id, "main") as terminal:
            await terminal.send_line("go")
        await _ended(case, machine_id)
        status = await case.engine.status(machine_id)
        assert status is not None
        assert status.exit_code == exit_code
        assert [status.exit_code for status in await case.engine.machines()] == [exit_code]


async def test_what_ends_is_an_event(case: Case) -> None:
    seen: set[str] = set()

    async def watch() -> None:
        async for machine_id in case.engine.events():
            seen.add(machine_id)

    async with case.machine() as machine_id:
        watching = asyncio.create_task(watch())
        try:

            async def is_seen() -> bool:
                # The first machine may have ended before anybody watched: events are a hint.
                if machine_id not in seen:
                    async with case.machine() as another:
                        await run(case.engine, another, "true")
                return bool(seen)

            await until(is_seen, "an event")
        finally:
            watching.cancel()
            await asyncio.wait({watching})


async def test_the_machine_outlives_the_engine_object(case: Case) -> None:
    """Another process, with the same configuration, finds it, talks to it and removes it."""
    other = type(case.engine)(case.config, **({"debug": True} if case.kind == "process" else {}))
    async with case.machine() as machine_id:
        try:
            assert [status.machine_id for status in await other.machines()] == [machine_id]
            async with SandboxdClient(await other.dial(machine_id)) as client:
                assert await client.terminals() == []
            await other.remove(machine_id)
            assert await case.engine.status(machine_id) is None
        finally:
            await other.close()


async def test_another_instance_sees_nothing_of_it(case: Case) -> None:
    config = replace(case.config, instance="somebodyelse", run_directory=case.config.run_directory / "other")
    config.run_directory.mkdir()
    other = type(case.engine)(config, **({"debug": True} if case.kind == "process" else {}))
    try:
        async with case.machine() as machine_id:
            assert await other.machines() == []
            assert await other.status(machine_id) is None
    finally:
        await other.close()
        config.run_directory.rmdir()


async def _ended(case: Case, machine_id: str) -> None:
    async def has_ended() -> bool:
        status = await case.engine.status(machine_id)
        assert status is not None, "an ended machine stays until it is removed"
        return status.state is MachineState.EXITED

    await until(has_ended, "the machine has ended")
