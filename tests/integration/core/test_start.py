"""A session on a ready pool runs when its request is answered."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.sessions import filling, provisioning, services
from playground.sessions.models import Machine, Profile, Terminal
from playground.sessions.requests import SessionRequest
from playground.sessions.states import MachineState, SessionState
from runtime.errors import MachineUnreachable
from tests.integration.core.stories import created, ended, history, load, machine_of
from tests.support.hooked_engine import HookedEngine, raises

REQUEST = SessionRequest("busybox")
MOST_QUERIES = 16
"""In `create` and `start` together, begin and commit included; PostgreSQL adds its row lock."""


@pytest.fixture(autouse=True)
def pool(image: Image, profile: Profile) -> None:
    """An image with a pool of two."""
    Image.objects.update(pool_size=2)


async def empty_pool() -> None:
    """So that nothing is left."""
    await Image.objects.aupdate(pool_size=0)
    await filling.fill("busybox")


async def test_runs_at_once(engine: HookedEngine, ann: User) -> None:
    await filling.fill("busybox")
    made = engine.calls.count("create")
    session = await services.launch(ann, REQUEST)
    assert session.state == SessionState.RUNNING
    assert engine.calls.count("create") == made == 2
    machine = await machine_of(session)
    assert [terminal.machine_id async for terminal in Terminal.objects.filter(machine__session=session)] == [machine.pk]
    assert session.hostname == machine.hostname
    assert session.name == f"busybox-{machine.hostname}"
    assert await history(session.pk) == ["created", "running"]
    await ended(session.pk)
    await empty_pool()


async def test_a_dead_pool_machine_is_replaced_by_the_next(engine: HookedEngine, ann: User) -> None:
    await filling.fill("busybox")
    oldest = await Machine.objects.filter(session=None).afirst()
    assert oldest is not None
    await engine.inner.remove(oldest.pk.hex)
    session = await services.launch(ann, REQUEST)
    assert session.state == SessionState.RUNNING
    assert (await machine_of(session)).pk != oldest.pk
    await oldest.arefresh_from_db()
    assert oldest.state in (MachineState.REMOVING, MachineState.REMOVED)
    await ended(session.pk)
    await empty_pool()


async def test_all_pool_machines_dead(engine: HookedEngine, ann: User) -> None:
    await filling.fill("busybox")
    engine.before["dial"] = raises(MachineUnreachable("It does not answer."))
    session = await services.launch(ann, REQUEST)
    assert session.state == SessionState.PENDING
    engine.before.clear()
    await provisioning.provision(session.pk)
    assert (await load(session.pk)).state == SessionState.RUNNING
    await ended(session.pk)
    await empty_pool()


async def test_engine_away_while_claimed(engine: HookedEngine, ann: User) -> None:
    """The machine may be as good as new: it is kept, and a worker goes on with it."""
    await filling.fill("busybox")
    made = engine.calls.count("create")
    engine.down = True
    session = await services.launch(ann, REQUEST)
    assert session.state == SessionState.PENDING
    engine.down = False
    await provisioning.provision(session.pk)
    assert (await load(session.pk)).state == SessionState.RUNNING
    assert engine.calls.count("create") == made
    await ended(session.pk)
    await empty_pool()


async def test_web_process_killed_between_create_and_start(engine: HookedEngine, ann: User) -> None:
    await filling.fill("busybox")
    session_id = await created(ann)
    await provisioning.provision(session_id)
    session = await load(session_id)
    assert session.state == SessionState.RUNNING
    assert await history(session_id) == ["created", "running"]
    await ended(session_id)
    await empty_pool()


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All that coroutines ask of the database passes one connection."""
    with ThreadPoolExecutor(1) as threads:
        monkeypatch.setattr("playground.database._threads", threads)
        monkeypatch.setattr("playground.database._making_threads", threads)
        yield
        threads.submit(connections.close_all).result()


@contextmanager
def counting(statements: list[str]) -> Iterator[None]:
    """Every statement that this thread's connection executes meanwhile."""

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield


@pytest.mark.usefixtures("one_thread")
async def test_few_statements(engine: HookedEngine, ann: User) -> None:
    await filling.fill("busybox")
    statements: list[str] = []
    wrapper = counting(statements)
    await in_database(wrapper.__enter__)()
    try:
        session = await services.launch(ann, REQUEST)
    finally:
        await in_database(wrapper.__exit__)(None, None, None)
    assert session.state == SessionState.RUNNING
    assert len(statements) <= MOST_QUERIES, "\n".join(statements)
    await ended(session.pk)
    await empty_pool()
