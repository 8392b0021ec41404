"""kill -9 in the middle of starting sessions: each runs in the end or says why not, and nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from tests.support.mistreated import WITHIN, Mistreated
from tests.support.waiting import until

AT_ONCE = 4
"""Sessions that are started together: the kill meets each at another step."""
TTL_SECONDS = 2
LATEST_SECONDS = 60
"""Sweeps are 10 s apart then, and this host may be busy. So long after its time a machine would end by itself."""


@asynccontextmanager
async def nothing_left(site: Mistreated) -> AsyncIterator[None]:
    """Ends all sessions after the block, and waits until the engine has no machine of this site any more."""
    yield
    await site.end(*await live_sessions(site))

    async def engine_is_empty() -> bool:
        return await site.machines() == []

    await until(engine_is_empty, "the sweep has removed every machine", WITHIN)


async def live_sessions(site: Mistreated) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await site.ask("GET", "/sessions", params={"limit": 100})).json()["items"]
    return [session for session in items if session["state"] != "ended"]


async def all_run_alone(site: Mistreated, sessions: list[dict[str, Any]]) -> None:
    """Each session runs, works, and the engine has its machine and no other."""
    running = [await site.reaches(session, "running") for session in sessions]
    for session in running:
        assert await site.execute(session, "echo works") == "works\n"
    expected = sorted(machine["id"].replace("-", "") for session in running for machine in session["machines"])
    assert len(expected) == len(sessions)

    async def exactly_theirs() -> bool:
        return await site.machines() == expected

    await until(exactly_theirs, "each session has one machine on the engine, and nobody else has any", WITHIN)


async def making_has_begun(site: Mistreated, sessions: list[dict[str, Any]]) -> None:
    """Waits until one of them is being made."""

    async def begun() -> bool:
        return any([(await site.session(session))["state"] != "pending" for session in sessions])

    await until(begun, "a session is starting", WITHIN)


@pytest.mark.parametrize("victims", [("worker",), ("valkey",), ("worker", "beat", "valkey")], ids="-".join)
async def test_sessions_start_in_spite_of_a_kill(site: Mistreated, victims: tuple[str, ...]) -> None:
    async with nothing_left(site):
        sessions = list(await asyncio.gather(*(site.create() for _ in range(AT_ONCE))))
        await making_has_begun(site, sessions)
        await site.kill(*victims)
        await site.run(*reversed(victims))
        await all_run_alone(site, sessions)


async def test_sessions_can_be_asked_for_while_nobody_works(site: Mistreated) -> None:
    async with nothing_left(site):
        await site.kill("worker", "valkey")
        sessions = [await site.create() for _ in range(2)]
        assert [session["state"] for session in sessions] == ["pending", "pending"]
        await site.run("valkey", "worker")
        await all_run_alone(site, sessions)


async def test_sessions_end_on_time_without_beat(site: Mistreated) -> None:
    """Workers sweep by themselves while nobody asks them to."""
    async with nothing_left(site):
        await site.kill("beat")
        try:
            session = await site.reaches(await site.create(ttl_seconds=TTL_SECONDS), "ended")
            assert session["reason"] == "expired"
            late = datetime.fromisoformat(session["ended_at"]) - datetime.fromisoformat(session["expires_at"])
            assert late.total_seconds() < LATEST_SECONDS
        finally:
            await site.run("beat")
