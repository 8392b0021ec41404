"""The engine goes away in the middle of starting a session, and comes back."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cutting import CuttingProxy, cutting_proxy
from tests.support.docker import docker_host
from tests.support.mistreated import LOOK_SECONDS, WITHIN, Mistreated, mistreated_site
from tests.support.waiting import until

CUTS = [(b"/containers/create", True), (b"/containers/create", False), (b"/start", True), (b"/start", False)]
"""The request at which it goes away, and whether before or after that reached it."""
SAYS = "The machine could not be created yet; trying again"


@dataclass(frozen=True)
class Cuttable:
    site: Mistreated
    engine: CuttingProxy


@pytest.fixture
async def cuttable() -> AsyncIterator[Cuttable]:
    """A site that reaches its engine through us alone."""
    with tempfile.TemporaryDirectory(prefix="pg-cut-") as directory:
        path = Path(directory) / "engine.sock"
        async with cutting_proxy(docker_host(), path) as engine:
            with ExitStack() as stack:
                entered = mistreated_site(f"unix://{path}")
                site = await asyncio.to_thread(stack.enter_context, entered)
                ended = stack.pop_all()
                try:
                    yield Cuttable(site, engine)
                finally:
                    engine.revive()
                    await asyncio.to_thread(ended.close)


async def test_a_session_waits_for_the_engine_and_then_runs(cuttable: Cuttable) -> None:
    for cut_at, before in CUTS:
        await start_through_a_cut(cuttable.site, cuttable.engine, cut_at, before)

    async def engine_is_empty() -> bool:
        return await cuttable.site.machines() == []

    await until(engine_is_empty, "nothing is left", WITHIN)


async def start_through_a_cut(site: Mistreated, engine: CuttingProxy, cut_at: bytes, before: bool) -> None:
    engine.cut_at, engine.before = cut_at, before
    session = await site.create()
    told = f"{cut_at!r}: the session says that it is tried again"
    await until(lambda: is_told(site, session), told, WITHIN, LOOK_SECONDS)
    assert engine.dead
    engine.revive()
    running = await site.reaches(session, "running")
    assert await site.execute(running, "echo works") == "works\n"
    expected = [machine["id"].replace("-", "") for machine in running["machines"]]

    async def its_machine_alone() -> bool:
        return await site.machines() == expected

    await until(its_machine_alone, "what was half made has been removed", WITHIN)
    await site.end(session)


async def is_told(site: Mistreated, session: dict[str, Any]) -> bool:
    now = await site.session(session)
    assert now["state"] in {"pending", "starting"}, now
    return bool(now["message"] == SAYS)
