"""kill -9 in the middle of a sampling pass, and while sessions are paused and resumed: everybody agrees afterwards.

Who agrees: the row, the engine, the kernel's freezer and its count of CPU time, and what the owner is charged with.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiodocker
import pytest

from runtime.engines.docker.spec import MACHINE_LABEL
from tests.support import kernel
from tests.support.docker import docker_host
from tests.support.mistreated import WITHIN, Mistreated
from tests.support.rows import Rows
from tests.support.stack import chosen_engine
from tests.support.waiting import until

BURN = "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done"
"""Some tenths of a second of CPU time, and then nothing."""
BURN_ON = "setsid sh -c 'echo $$ > /tmp/burner; while :; do :; done' </dev/null >/dev/null 2>&1 &"
STOP_BURNING = "kill -9 $(cat /tmp/burner)"
CLOSE = 0.05
"""Seconds of CPU time between a sample and the kernel's own count a moment later, in a machine that does nothing."""
SAMPLING = "SELECT 1 FROM playground_sessions_lease WHERE name = 'sample'"
VERSION = "SELECT version FROM playground_sessions_machineusage WHERE machine_id = ?"
USED = "SELECT cpu_seconds FROM playground_sessions_machineusage WHERE machine_id = ?"
USED_BY_ALL = """
SELECT coalesce(sum(cpu_seconds), 0) FROM playground_sessions_machineusage usage
JOIN playground_sessions_machine machine ON machine.id = usage.machine_id
JOIN playground_sessions_session session ON session.id = machine.session_id WHERE session.owner_id = ?
"""
CHARGED = "SELECT coalesce(sum(cpu_seconds), 0) FROM playground_sessions_personhour WHERE owner_id = ?"
OWNER = "SELECT owner_id FROM playground_sessions_session WHERE id = ?"
STATE = "SELECT state FROM playground_sessions_session WHERE id = ?"


@dataclass(frozen=True)
class Measured:
    """One session with one machine, from all sides."""

    site: Mistreated
    rows: Rows
    session: dict[str, Any]
    container: str

    @property
    def id(self) -> str:
        return str(self.session["id"]).replace("-", "")

    @property
    def machine(self) -> str:
        return str(self.session["machines"][0]["id"]).replace("-", "")

    @property
    def version(self) -> int:
        """Grows with every pass that counted the machine."""
        return int(self.rows.one(VERSION, self.machine) or 0)

    async def passes(self, count: int) -> None:
        """Waits until it has been sampled so many times more."""
        target = self.version + count

        async def reached() -> bool:
            return self.version >= target

        await until(reached, f"{count} more samples", WITHIN)

    async def kill_in_a_pass(self) -> None:
        """kill -9 of the worker while it samples: stopped first, to see that it has not come to the end meanwhile."""
        stack, pid = self.site.stack, self.site.stack.pid("worker")

        def in_the_middle() -> bool:
            if self.rows.one(SAMPLING) != 1:
                return False
            os.kill(pid, signal.SIGSTOP)
            self.rows.meet(lambda: kernel.is_stopped(pid), "the worker is stopped", WITHIN)
            if self.rows.one(SAMPLING) == 1:
                return True
            os.kill(pid, signal.SIGCONT)
            return False

        await asyncio.to_thread(self.rows.meet, in_the_middle, "a pass has begun", WITHIN)
        stack.kill("worker")

    async def kill_when(self, what: str, query: str, wanted: object, *victims: str) -> None:
        """kill -9 of all of them, a moment after the first column of that query is as wanted."""
        stack, values = self.site.stack, [self.id] if "?" in query else []
        await asyncio.to_thread(self.rows.meet, lambda: self.rows.one(query, *values) == wanted, what, WITHIN)
        for victim in victims:
            stack.kill(victim)


@pytest.fixture
async def measured(site: Mistreated) -> AsyncIterator[Measured]:
    """Its machine has nothing to do."""
    if chosen_engine() != "docker":
        pytest.skip("needs machines of a Docker engine: the freezer and the count of CPU time are the kernel's")
    session = await site.reaches(await site.create(), "running")
    machine = str(session["machines"][0]["id"]).replace("-", "")
    async with aiodocker.Docker(site.stack.docker_host or docker_host()) as docker:
        (found,) = await docker.containers.list(filters={"label": [f"{MACHINE_LABEL}={machine}"]})
    measured = Measured(site, Rows(site.stack.data), session, found.id)
    await measured.passes(1)
    yield measured
    await site.end(session)


async def test_a_worker_dies_in_a_sampling_pass(measured: Measured) -> None:
    """Whether before or after it wrote what it read: nothing is counted twice, and nothing is left out."""
    site, rows = measured.site, measured.rows
    await site.execute(measured.session, BURN)
    await measured.kill_in_a_pass()
    # Nobody gives back what the dead held: it was in the middle.
    assert rows.one(SAMPLING) == 1
    before = measured.version
    await site.run("worker")
    await site.execute(measured.session, BURN)
    await asyncio.to_thread(
        rows.meet, lambda: measured.version > before and rows.one(SAMPLING) == 1, "a pass has written", WITHIN
    )
    site.stack.kill("worker")
    await site.run("worker")
    await agree_on_usage(measured)


async def agree_on_usage(measured: Measured) -> None:
    """What the machine used is what the kernel says, and what its owner is charged with; once nothing runs in it."""
    rows = measured.rows
    owner = rows.one(OWNER, measured.id)

    async def agreed() -> bool:
        return abs(kernel.cpu_seconds(measured.container) - rows.one(USED, measured.machine)) < CLOSE

    await measured.passes(2)
    await until(agreed, "the sampler and the kernel agree", WITHIN)
    ((used, charged),) = rows.all(f"SELECT ({USED_BY_ALL}), ({CHARGED})", owner, owner)
    assert used > 0
    assert abs(used - charged) < 0.001, (used, charged)
    stats = (await measured.site.ask("GET", f"/sessions/{measured.session['id']}/stats")).json()
    assert abs(stats["cpu"]["seconds"] - kernel.cpu_seconds(measured.container)) < 2 * CLOSE


@pytest.mark.parametrize("victims", [("web", "web2"), ("web", "web2", "worker")], ids="-".join)
async def test_everybody_dies_while_it_is_paused_and_resumed(measured: Measured, victims: tuple[str, ...]) -> None:
    site = measured.site
    await site.execute(measured.session, BURN_ON)
    for path, state, frozen in (("pause", "paused", True), ("resume", "running", False)):
        asked = asyncio.create_task(site.ask("POST", f"/sessions/{measured.session['id']}/{path}"))
        await measured.kill_when(f"the row says {state}", STATE, state, *victims)
        # Web is ready when a worker lives, too, and on a slow host nobody remembers the one that was killed.
        await site.run(*reversed(victims))
        await asked

        async def the_kernel_agrees(frozen: bool = frozen) -> bool:
            return kernel.is_frozen(measured.container) == frozen

        await until(the_kernel_agrees, f"the freezer says that it is {state}", WITHIN)
        assert (await site.session(measured.session))["state"] == state
        if frozen:
            await uses_nothing(measured)
    assert await site.execute(measured.session, f"{STOP_BURNING} && echo works") == "works\n"
    await agree_on_usage(measured)


async def uses_nothing(measured: Measured) -> None:
    """Over two samples of a paused machine, in which a loop would run."""
    before = kernel.cpu_seconds(measured.container)
    await measured.passes(2)
    assert kernel.cpu_seconds(measured.container) - before < 0.01
