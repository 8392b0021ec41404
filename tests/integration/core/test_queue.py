"""More is asked for than a host makes at a time, or has room for."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.sessions import filling, places, placing, provisioning, queue, services, slots
from playground.sessions.errors import HostFull, NeverFits
from playground.sessions.models import Machine, Profile, Session
from playground.sessions.public import public_session
from playground.sessions.requests import SessionRequest
from playground.sessions.states import MachineState, SessionState
from tests.integration.core.stories import created, ended, load, on_engine
from tests.support.asked import Asked
from tests.support.hooked_engine import Gate, HookedEngine
from tests.support.waiting import until, wait

pytestmark = pytest.mark.usefixtures("image", "profile")
Limit = Callable[..., None]


@pytest.fixture
def limit(settings: Settings) -> Limit:
    """Another capacity than this host's own."""

    def limit(**changes: int) -> None:
        settings.CAPACITY = replace(settings.CAPACITY, **changes)

    return limit


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    places.moved_on()


async def queue_of(session: Session) -> Any:
    """As the API tells it."""
    places.moved_on()
    return (await in_database(public_session)(await load(session.pk)))["queue"]


async def states() -> list[str]:
    """Of all sessions, in the order in which they were created."""
    return [state async for state in Session.objects.order_by("created_at").values_list("state", flat=True)]


async def begun_order() -> list[int]:
    """Whose turn it was, one after the other."""
    rows = Session.objects.filter(begun_at__isnull=False).order_by("begun_at")
    return [owner async for owner in rows.values_list("owner_id", flat=True)]


async def end_everything() -> None:
    async for pk in Session.objects.exclude(state=SessionState.ENDED).values_list("pk", flat=True):
        await ended(pk)


async def test_everybody_knows_their_place(engine: HookedEngine, ann: User, bob: User, limit: Limit) -> None:
    limit(creates_at_once=2)
    sessions = [await load(await created(person)) for person in (ann, ann, ann, bob)]
    told = [await queue_of(session) for session in sessions]
    assert [queue["position"] for queue in told] == [1, 3, 4, 2]
    assert [queue["estimate_seconds"] for queue in told] == [1, 2, 2, 1]
    await provisioning.work()
    assert [await queue_of(session) for session in sessions] == [None] * 4
    assert await states() == [SessionState.RUNNING] * 4
    await end_everything()


async def test_people_take_turns(engine: HookedEngine, ann: User, bob: User, limit: Limit) -> None:
    limit(creates_at_once=1)
    for _ in range(4):
        await created(ann)
    await created(bob)
    await provisioning.work()
    assert await begun_order() == [ann.pk, bob.pk, ann.pk, ann.pk, ann.pk]
    await end_everything()


async def test_no_more_are_made_at_once_than_the_host_takes(engine: HookedEngine, ann: User, limit: Limit) -> None:
    limit(creates_at_once=2)
    gate = Gate()
    engine.before["create"] = gate
    sessions = [await created(ann) for _ in range(5)]
    working = [asyncio.create_task(provisioning.provision(session_id)) for session_id in sessions]

    async def only_two_are_left() -> bool:
        return sum(task.done() for task in working) == 3 and engine.calls.count("create") == 2

    await until(only_two_are_left, "who finds no slot leaves")
    assert sorted(await states()) == [SessionState.PENDING] * 3 + [SessionState.STARTING] * 2
    engine.before.clear()
    gate.opened.set()
    await asyncio.gather(*working)
    assert await states() == [SessionState.RUNNING] * 5
    await end_everything()


def test_a_slot_comes_back_when_its_holder_is_killed(installation: Path, limit: Limit) -> None:
    limit(creates_at_once=1)
    (installation / "slots").mkdir()
    hold = "import fcntl,sys,time; f=open(sys.argv[1],'w'); fcntl.flock(f,2); print('held',flush=True); time.sleep(600)"
    path = str(installation / "slots" / "slot-0")
    with subprocess.Popen([sys.executable, "-c", hold, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with slots.slot() as mine:
            assert not mine
        holder.kill()
        holder.wait()
    with slots.slot() as mine:
        assert mine
        with slots.slot() as second:
            assert not second


def test_pools_leave_a_slot_for_people(installation: Path, limit: Limit) -> None:
    limit(creates_at_once=3)
    with slots.several(5, spare=1) as found, slots.slot() as mine:
        assert (found, mine) == (2, True)
    limit(creates_at_once=1)
    with slots.several(5, spare=1) as found:
        assert found == 1, "a pool is filled there too"


async def test_sessions_wait_for_room(engine: HookedEngine, ann: User, profile: Profile, limit: Limit) -> None:
    limit(memory_bytes=profile.memory_bytes * 3 // 2)
    first, second = [await created(ann) for _ in range(2)]
    await provisioning.provision(second)
    assert await states() == [SessionState.RUNNING, SessionState.PENDING]
    assert await queue_of(await load(second)) == {"position": 1, "estimate_seconds": None}
    await ended(first)
    await provisioning.work()
    assert (await load(second)).state == SessionState.RUNNING
    await end_everything()


async def test_the_count_of_machines_is_a_limit_too(engine: HookedEngine, ann: User, limit: Limit) -> None:
    limit(machines=1)
    first, second = [await created(ann) for _ in range(2)]
    await provisioning.work()
    assert await states() == [SessionState.RUNNING, SessionState.PENDING]
    await ended(first)
    await provisioning.provision(second)
    assert await states() == [SessionState.ENDED, SessionState.RUNNING]
    await end_everything()


async def test_who_fits_passes_who_does_not(engine: HookedEngine, ann: User, bob: User, limit: Limit) -> None:
    large, small = [await Profile.objects.aget(pk=slug) for slug in ("large", "small")]
    limit(memory_bytes=large.memory_bytes)
    await created(ann, profile="small")
    await provisioning.work()
    await created(ann, profile="large")
    await created(bob, profile="small")
    assert small.memory_bytes * 2 <= large.memory_bytes
    await provisioning.work()
    assert await states() == [SessionState.RUNNING, SessionState.PENDING, SessionState.RUNNING]
    await end_everything()


async def test_pool_machines_make_room(engine: HookedEngine, ann: User, profile: Profile, limit: Limit) -> None:
    limit(memory_bytes=profile.memory_bytes * 2)
    await Image.objects.aupdate(pool_size=2)
    await filling.fill("busybox")
    assert len(await on_engine(engine)) == 2
    session_id = await created(ann, environment={"NOT": "from the pool"})
    await provisioning.provision(session_id)
    assert (await load(session_id)).state == SessionState.RUNNING
    assert len(await on_engine(engine)) == 2
    assert await Machine.objects.filter(session=None, state=MachineState.READY).acount() == 1
    await filling.fill("busybox")
    assert len(await on_engine(engine)) == 2, "there is no room for the pool"
    await Image.objects.aupdate(pool_size=0)
    await filling.fill("busybox")
    await end_everything()


async def test_pools_wait_for_those_who_wait(engine: HookedEngine, ann: User) -> None:
    await Image.objects.aupdate(pool_size=2)
    session_id = await created(ann, environment={"NOT": "from the pool"})
    await filling.fill("busybox")
    assert await on_engine(engine) == set()
    await ended(session_id)
    await filling.fill("busybox")
    assert len(await on_engine(engine)) == 2
    await Image.objects.aupdate(pool_size=0)
    await filling.fill("busybox")


async def test_the_pools_are_filled_afterwards(
    engine: HookedEngine, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(monkeypatch)
    session_id = await created(ann)
    await provisioning.provision(session_id)
    assert ("refill_all",) in asked.tasks
    asked.clear()
    await provisioning.work()
    assert asked.tasks == []
    await ended(session_id)


async def test_those_who_wait_are_told_that_the_queue_moves(
    engine: HookedEngine, ann: User, limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(creates_at_once=1)
    told: list[tuple[str, object]] = []
    monkeypatch.setattr(placing, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(placing, "_teller", placing._Teller())
    monkeypatch.setattr(
        "playground.sessions.events.publish",
        lambda event, *groups: told.append((event["kind"], (event["session"]["queue"] or {}).get("position"))),
    )
    for _ in range(3):
        await created(ann)
    await provisioning.work()
    # The first one is taken and two are told, then one, then nobody is left.
    assert sorted(str(position) for kind, position in told if kind == "queued") == ["1", "1", "2"]
    await end_everything()


def test_a_refill_is_asked_for_once_for_all_who_came(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    for slug in ("busybox", "debian", "busybox", "busybox"):
        queue.refill_soon(slug)
    wait(lambda: len(asked.tasks) == 2, "both are asked for")
    assert sorted(asked.tasks) == [("refill", "busybox"), ("refill", "debian")]
    queue.refill_soon("busybox")
    wait(lambda: len(asked.tasks) == 3, "asked again")


def test_what_never_fits_is_refused(ann: User, profile: Profile, limit: Limit) -> None:
    limit(memory_bytes=profile.memory_bytes - 1)
    with pytest.raises(NeverFits) as caught:
        services.create(ann, SessionRequest("busybox"))
    assert (caught.value.code, caught.value.retryable) == ("capacity_exceeded", False)
    assert not Session.objects.exists()


def test_a_queue_has_an_end(ann: User, bob: User, limit: Limit, monkeypatch: pytest.MonkeyPatch) -> None:
    Asked(monkeypatch)
    limit(waiting=2)
    for _ in range(2):
        services.create(ann, SessionRequest("busybox"))
    with pytest.raises(HostFull) as caught:
        services.create(bob, SessionRequest("busybox"))
    assert (caught.value.retryable, caught.value.retry_after) == (True, 60)
    assert Session.objects.count() == 2


def test_a_session_that_failed_to_start_waits_its_time(ann: User, image: Image, limit: Limit) -> None:
    """Whose lease has not lapsed is in nobody's way."""
    session = services.create(ann, SessionRequest("busybox"))
    Session.objects.update(state=SessionState.STARTING, lease_until=timezone.now() + timedelta(minutes=1))
    assert placing.begin_next() is None
    Session.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    begun = placing.begin_next()
    assert isinstance(begun, placing.Begun)
    assert begun.session_id == session.pk
