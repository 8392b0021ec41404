"""Pools are as large as they should be, and hold only what is as good as new."""

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image, ImageState
from playground.sessions import filling, pools, provisioning, services
from playground.sessions.making import insert_machine
from playground.sessions.models import Lease, Machine, Profile
from playground.sessions.requests import SessionRequest, WantedNetwork
from playground.sessions.states import MachineState, Reason, SessionState
from runtime.engines.base import Egress
from runtime.errors import CapacityExceeded, ImageUnavailable
from tests.integration.core.rows import make_ready_machine
from tests.integration.core.stories import created, ended, load, on_engine
from tests.support.asked import Asked
from tests.support.hooked_engine import Gate, HookedEngine, raises
from tests.support.hosts import found_on_host


@pytest.fixture(autouse=True)
def pool(image: Image, profile: Profile) -> None:
    """An image with a pool of three."""
    Image.objects.update(pool_size=3)


async def in_pool() -> set[str]:
    """Ids of the machines that can be claimed."""
    rows = Machine.objects.filter(session=None, state=MachineState.READY)
    return {pk.hex async for pk in rows.values_list("pk", flat=True)}


async def resize(size: int) -> None:
    await Image.objects.aupdate(pool_size=size)
    await filling.fill("busybox")


async def test_fills_and_shrinks(engine: HookedEngine) -> None:
    await filling.fill("busybox")
    assert len(await in_pool()) == 3
    assert await on_engine(engine) == await in_pool()
    assert await in_database(filling.pools_to_fill)() == ["busybox"]
    await filling.fill("busybox")
    assert engine.calls.count("create") == 3
    await resize(1)
    assert len(await in_pool()) == 1
    assert await on_engine(engine) == await in_pool()
    await resize(0)
    assert await on_engine(engine) == set()


async def test_one_filler_at_a_time(engine: HookedEngine) -> None:
    await asyncio.gather(*(filling.fill("busybox") for _ in range(4)))
    assert engine.calls.count("create") == 3
    await resize(0)


async def test_fills_up_what_was_claimed_meanwhile(engine: HookedEngine, ann: User) -> None:
    gate = Gate()
    await filling.fill("busybox")
    await Image.objects.aupdate(pool_size=4)
    engine.before["create"] = gate
    filler = asyncio.create_task(filling.fill("busybox"))
    await gate.reached.wait()
    session = await services.launch(ann, SessionRequest("busybox"))
    assert session.state == SessionState.RUNNING
    gate.opened.set()
    await filler
    assert len(await in_pool()) == 4
    await ended(session.pk)
    await resize(0)


@pytest.mark.parametrize("change", ["digest", "limits", "age", "default", "requires", "quota"])
async def test_replaces_what_is_out_of_date(engine: HookedEngine, change: str) -> None:
    await filling.fill("busybox")
    before = await in_pool()
    if change == "digest":
        await Image.objects.aupdate(digest="sha256:" + "1" * 64)
    elif change == "limits":
        await Profile.objects.filter(is_default=True).aupdate(pids=77)
    elif change == "age":
        await Machine.objects.aupdate(created_at=timezone.now() - pools.MAX_AGE - timedelta(seconds=1))
    elif change == "requires":
        await in_database(found_on_host)(pause=True)
        await Profile.objects.filter(is_default=True).aupdate(requires=["pause"])
    elif change == "quota":
        await in_database(found_on_host)(disk_quota=True)
    else:
        await Profile.objects.filter(is_default=True).aupdate(is_default=False)
        await Profile.objects.filter(slug="small").aupdate(is_default=True)
    await filling.fill("busybox")
    after = await in_pool()
    assert len(after) == 3
    assert not after & before
    assert await on_engine(engine) == after
    await resize(0)


@pytest.mark.parametrize("change", [{"enabled": False}, {"state": ImageState.FAILED}])
async def test_an_image_that_can_not_be_started_has_no_pool(engine: HookedEngine, change: dict[str, object]) -> None:
    await filling.fill("busybox")
    await Image.objects.aupdate(**change)
    await filling.fill("busybox")
    assert await on_engine(engine) == set()


async def test_a_profile_that_the_host_can_not_meet_has_no_pool(engine: HookedEngine) -> None:
    await in_database(found_on_host)(pause=True)
    await Profile.objects.filter(is_default=True).aupdate(requires=["pause"])
    await filling.fill("busybox")
    assert len(await in_pool()) == 3
    await in_database(found_on_host)(pause=False)
    await filling.fill("busybox")
    assert await on_engine(engine) == set()
    await in_database(found_on_host)(pause=True)
    await filling.fill("busybox")
    assert len(await in_pool()) == 3
    await resize(0)


async def test_what_the_host_has_lost_meanwhile_ends_a_claim(engine: HookedEngine, ann: User) -> None:
    """The session holds a pool machine, and there are others; the engine comes back, and can do less."""
    await in_database(found_on_host)(pause=True)
    await Profile.objects.filter(is_default=True).aupdate(requires=["pause"])
    await filling.fill("busybox")
    engine.down = True
    session = await services.launch(ann, SessionRequest("busybox"))
    assert session.state == SessionState.PENDING
    assert len(await in_pool()) == 2
    await in_database(found_on_host)(pause=False)
    engine.down = False
    await provisioning.provision(session.pk)
    stopped = await load(session.pk)
    assert (stopped.state, stopped.reason) == (SessionState.STOPPING, Reason.FAILED)
    assert "(pause)" in stopped.message
    assert stopped.started_at is None
    assert len(await in_pool()) == 2
    await ended(session.pk)
    await filling.fill("busybox")
    assert await on_engine(engine) == set()


async def test_who_asks_for_less_of_a_network_gets_no_pool_machine(image: Image, ann: User) -> None:
    await Profile.objects.filter(is_default=True).aupdate(egress=Egress.INTERNET)
    profile = await Profile.objects.aget(is_default=True)
    pooled = await in_database(make_ready_machine)(image, profile)
    less = (WantedNetwork(Egress.NONE), WantedNetwork(Egress.ALLOWLIST, ["198.51.100.1"]))
    for wanted in less:
        session = await in_database(services.create)(ann, SessionRequest("busybox", network=wanted))
        assert not await Machine.objects.filter(session=session).aexists()
    same = SessionRequest("busybox", network=WantedNetwork(Egress.INTERNET))
    session = await in_database(services.create)(ann, same)
    assert (await Machine.objects.aget(session=session)).pk == pooled.pk


async def test_a_network_that_the_profile_no_longer_has(engine: HookedEngine, ann: User) -> None:
    await Image.objects.aupdate(pool_size=0)
    await Profile.objects.filter(is_default=True).aupdate(egress=Egress.INTERNET)
    less, more = await created(ann, network=WantedNetwork(Egress.NONE)), await created(ann)
    await Profile.objects.filter(is_default=True).aupdate(egress=Egress.NONE)
    await provisioning.provision(more)
    assert (await load(less)).state == SessionState.RUNNING
    stopped = await load(more)
    assert (stopped.state, stopped.reason) == (SessionState.STOPPING, Reason.FAILED)
    assert "reach less" in stopped.message
    await ended(less)
    await ended(more)


async def test_stops_when_the_host_is_full(engine: HookedEngine) -> None:
    engine.before["create"] = raises(CapacityExceeded("This host is full."))
    await filling.fill("busybox")
    assert engine.calls.count("create") == filling.AT_ONCE
    assert await in_pool() == set()
    assert not await Machine.objects.exclude(state=MachineState.REMOVED).aexists()


async def test_notices_a_lost_image(engine: HookedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch)
    engine.before["create"] = raises(ImageUnavailable("It is not here."))
    await filling.fill("busybox")
    assert (await Image.objects.aget()).state == ImageState.ABSENT
    assert ("prepare_image", "busybox") in asked.tasks


async def test_a_filler_that_dies_is_replaced(
    engine: HookedEngine, monkeypatch: pytest.MonkeyPatch, unrenewed: None
) -> None:
    monkeypatch.setattr(filling, "AT_ONCE", 1)
    gate = Gate()
    engine.after["create"] = gate
    dead = asyncio.create_task(filling.fill("busybox"))
    await gate.reached.wait()
    engine.after.clear()
    await filling.fill("busybox")
    assert await in_pool() == set(), "somebody else's lease was not respected"
    await Lease.objects.aupdate(until=timezone.now() - timedelta(seconds=1))
    await filling.fill("busybox")
    gate.opened.set()
    await dead
    await filling.fill("busybox")
    assert len(await in_pool()) == 3
    assert await on_engine(engine) == await in_pool()
    await resize(0)


async def test_what_a_filler_left_half_made_goes_at_once(engine: HookedEngine, image: Image, profile: Profile) -> None:
    """As when its worker is killed before it has told the engine, or before it has written that it is there."""
    left = await in_database(insert_machine)(image, profile, "half-made", pools.DEADLINE)
    await filling.fill("busybox")
    await left.arefresh_from_db()
    assert left.state == MachineState.REMOVED
    assert len(await in_pool()) == 3
    assert await on_engine(engine) == await in_pool()
    await resize(0)
