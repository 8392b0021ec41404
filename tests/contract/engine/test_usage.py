"""What machines use, as every engine reads it."""

import asyncio

import pytest

from runtime.errors import CapabilityUnavailable, MachineGone
from runtime.limits.usage import Usage
from tests.support.engine import Case, Kind
from tests.support.machine_terminal import run, talking
from tests.support.waiting import until

NOBODY = "0" * 32
MIB = 1 << 20


async def _usage(case: Case, machine_id: str) -> Usage:
    return (await case.engine.usage([machine_id]))[machine_id]


async def test_only_who_was_asked_for(case: Case) -> None:
    assert await case.engine.usage([]) == {}
    assert await case.engine.usage([NOBODY]) == {}
    async with case.machine() as first, case.machine() as second:
        assert set(await case.engine.usage([first, second, NOBODY])) == {first, second}
        assert set(await case.engine.usage([second])) == {second}


async def test_who_has_ended_is_left_out(case: Case) -> None:
    async with case.machine() as machine_id:
        await _usage(case, machine_id)
        async with talking(case.engine, machine_id) as client:
            await client.deadline(1)

        async def is_left_out() -> bool:
            return machine_id not in await case.engine.usage([machine_id])

        await until(is_left_out, "the machine that has ended is left out")


async def test_cpu_time_grows_with_work_alone(case: Case) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            await client.open("burn", ["/bin/sh", "-c", "while :; do :; done"])

        async def has_burnt() -> bool:
            return (await _usage(case, machine_id)).cpu_seconds > 0.5

        await until(has_burnt, "half a second of CPU is counted")
        async with talking(case.engine, machine_id) as client:
            await client.close_terminal("burn")
        now = await _usage(case, machine_id)
        assert now.pids >= 1
        assert now.memory_bytes > 0

        async def stands_still() -> bool:
            before = await _usage(case, machine_id)
            await run(case.engine, machine_id, "sleep", "1")
            return (await _usage(case, machine_id)).cpu_seconds - before.cpu_seconds < 0.3

        # The work has been told to end, and a host that stood still may count that as time of who was at work.
        await until(stands_still, "less than a third of a second is counted in one without work")


async def test_a_paused_machine_is_read_and_uses_nothing(case: Case) -> None:
    async with case.machine() as machine_id:
        async with talking(case.engine, machine_id) as client:
            await client.open("burn", ["/bin/sh", "-c", "while :; do :; done"])
        await case.engine.pause(machine_id)
        before = await _usage(case, machine_id)
        await asyncio.sleep(0.5)
        assert (await _usage(case, machine_id)).cpu_seconds == before.cpu_seconds
        await case.engine.resume(machine_id)


async def test_the_disk_is_what_is_held_there(case: Case) -> None:
    async with case.machine() as machine_id:
        empty = await case.engine.disk_usage(machine_id, 1 << 30)
        assert empty is not None
        assert empty.used_bytes < MIB
        filled = await run(
            case.engine, machine_id, "sh", "-c", 'dd if=/dev/zero of="$HOME/f" bs=1048576 count=8 && sync'
        )
        assert filled.status.exit_code == 0, filled.stderr
        found = await case.engine.disk_usage(machine_id, 1 << 30)
        assert found is not None
        assert 8 * MIB <= found.used_bytes - empty.used_bytes < 9 * MIB
        beyond = await case.engine.disk_usage(machine_id, 4 * MIB)
        assert beyond is not None
        assert beyond.used_bytes > 4 * MIB
        await run(case.engine, machine_id, "sh", "-c", 'rm "$HOME/f"')
        freed = await case.engine.disk_usage(machine_id, 1 << 30)
        assert freed is not None
        assert freed.used_bytes < MIB


async def test_nobody_has_no_disk(case: Case) -> None:
    assert await case.engine.disk_usage(NOBODY, 1 << 30) is None


async def test_less_cpu_is_less_cpu_or_refused(case: Case) -> None:
    async with case.machine() as machine_id:
        if not (await case.engine.capabilities()).has("cpu_limit"):
            with pytest.raises(CapabilityUnavailable):
                await case.engine.limit_cpu(machine_id, 0.5)
            return
        async with talking(case.engine, machine_id) as client:
            await client.open("burn", ["/bin/sh", "-c", "while :; do :; done"])
        for _ in range(2):
            await case.engine.limit_cpu(machine_id, 0.1)
        before = await _usage(case, machine_id)

        async def is_throttled() -> bool:
            return (await _usage(case, machine_id)).throttled_seconds - before.throttled_seconds > 0.5

        await until(is_throttled, "the kernel holds it back")
        await case.engine.limit_cpu(machine_id, 1.0)


async def test_nobody_can_be_limited(case: Case) -> None:
    with pytest.raises(MachineGone):
        await case.engine.limit_cpu(NOBODY, 0.5)


async def test_what_is_written_is_counted(case: Case) -> None:
    directory = '"$HOME"' if case.kind is Kind.PROCESS else "/root"
    async with case.machine() as machine_id:
        before = await _usage(case, machine_id)
        await run(case.engine, machine_id, "sh", "-c", f"dd if=/dev/zero of={directory}/f bs=1048576 count=4 && sync")

        async def is_counted() -> bool:
            return (await _usage(case, machine_id)).written_bytes - before.written_bytes >= 4 * MIB

        await until(is_counted, "four MiB are counted as written")
