"""What the process engine alone must do: its machines share this host with everything else."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.engines.process import BOOT_SECONDS, ProcessEngine
from runtime.errors import EngineRefused
from tests.support.engine import Case, Kind, running
from tests.support.machine_terminal import attached, run, talking
from tests.support.waiting import until


async def test_it_is_for_debugging_alone() -> None:
    async with running(Kind.PROCESS) as case:
        with pytest.raises(ValueError, match="debugging"):
            ProcessEngine(case.config, debug=False)


async def test_what_sandboxd_leaves_when_it_is_killed_is_removed() -> None:
    """The case's own end looks for processes that were left."""
    async with running(Kind.PROCESS) as case, case.machine() as machine_id:
        hidden = 'trap "" HUP TERM; echo up; while :; do sleep 0.1; done'
        async with talking(case.engine, machine_id) as client:
            await client.open("one", ["/bin/sh", "-c", f"setsid sh -c '{hidden}'"])
            assert client.hello is not None
            sandboxd = client.hello.pid
        async with attached(case.engine, machine_id, "one") as terminal:
            await terminal.expect("up")
        os.kill(sandboxd, signal.SIGKILL)

        async def is_over() -> bool:
            status = await case.engine.status(machine_id)
            return status is not None and status.exit_code == 137

        await until(is_over, "the killed machine has ended")


async def test_machines_see_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "not for machines")
    async with running(Kind.PROCESS) as case, case.machine() as machine_id:
        seen = (await run(case.engine, machine_id, "env")).stdout
        assert b"not for machines" not in seen
        assert f"HOME={case.config.run_directory / machine_id}".encode() in seen


async def test_a_missing_daemon_is_refused_and_leaves_nothing() -> None:
    async with running(Kind.PROCESS) as case:
        engine = ProcessEngine(replace(case.config, sandboxd=Path("/no/such/sandboxd")), debug=True)
        with pytest.raises(EngineRefused):
            await engine.create(case.spec())
        assert await engine.machines() == []


async def test_a_daemon_that_is_none_is_noticed_at_once() -> None:
    async with running(Kind.PROCESS) as case:
        await _refuses(case, Path("/bin/true"))


async def _refuses(case: Case, sandboxd: Path) -> None:
    engine = ProcessEngine(replace(case.config, sandboxd=sandboxd), debug=True)
    async with asyncio.timeout(BOOT_SECONDS):
        with pytest.raises(Exception, match="while it started"):
            await engine.create(case.spec())
    assert await engine.machines() == []
