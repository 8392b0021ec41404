"""Which terminals sandboxd keeps output of for the recorder, and that none is kept for nobody."""

import asyncio

import pytest

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.recordings import rows, stopping
from playground.recordings.recorder import Recorder
from playground.sessions import filling, services
from playground.sessions.machines import open_terminal
from playground.sessions.models import Session, Terminal
from playground.sessions.requests import SessionRequest, WantedMachine
from playground.sessions.states import SessionState
from tests.integration.core.stories import ended, load, running
from tests.support.hooked_engine import HookedEngine
from tests.support.waiting import WITHIN

pytestmark = pytest.mark.usefixtures("image", "profile")


async def _kept(session: Session) -> list[bool]:
    return [terminal.is_kept async for terminal in Terminal.objects.filter(machine__session=session)]


async def test_those_of_all_machines(engine: HookedEngine, ann: User) -> None:
    session = await running(ann, record=True, machines=[WantedMachine("db", "busybox")])
    assert await _kept(session) == [True, True]
    await ended(session.pk)


async def test_those_of_a_pool_machine_once_it_is_claimed(engine: HookedEngine, ann: User) -> None:
    await Image.objects.aupdate(pool_size=1)
    await filling.fill("busybox")
    assert not await Terminal.objects.filter(is_kept=True).aexists()
    session = await services.launch(ann, SessionRequest("busybox", record=True))
    assert session.state == SessionState.RUNNING
    assert await _kept(session) == [True]
    await ended(session.pk)
    await Image.objects.aupdate(pool_size=0)
    await filling.fill("busybox")


async def test_none_of_a_session_that_is_not_recorded(engine: HookedEngine, ann: User) -> None:
    session = await running(ann)
    assert await _kept(session) == [False]
    await ended(session.pk)


async def test_one_that_was_opened_while_recording_was_stopped(engine: HookedEngine, ann: User) -> None:
    before = await running(ann, record=True)
    await stopping.stop(before)
    # Whoever opened it had read the session before.
    terminal = await open_terminal(before)
    assert terminal.is_kept
    assert terminal.pk in [key for _, key in await in_database(rows.kept_in_vain)()]
    assert terminal.pk not in [work.terminal_id for work in await in_database(rows.work)()]
    recorder = asyncio.create_task(Recorder().run())
    try:
        async with asyncio.timeout(WITHIN):
            while any(await _kept(before)):
                await asyncio.sleep(0.05)
    finally:
        recorder.cancel()
        await asyncio.gather(recorder, return_exceptions=True)
    later = await open_terminal(await load(before.pk))
    assert not later.is_kept
    await ended(before.pk)
