"""What the host enforces, as the site keeps it: probed by the worker, shown to administrators, required by profiles."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from playground.accounts.models import User
from playground.database import in_database
from playground.host import probing, reports
from playground.host.models import HostReport
from playground.images.models import Image
from playground.sessions import leases, provisioning, reconcile, services
from playground.sessions.models import Profile, Session
from playground.sessions.profiles import limits_of
from playground.sessions.requests import SessionRequest
from playground.sessions.states import Reason, SessionState
from runtime.engines.base import Egress, MachineSpec, probe_machine_id
from tests.integration.core.stories import ended, lapse, load
from tests.support.hooked_engine import HookedEngine

pytestmark = pytest.mark.django_db(transaction=True)


def item(name: str, available: bool, known: bool = True) -> dict[str, object]:
    return {"name": name, "available": available, "detail": f"saw {name}", "remedy": f"mend {name}", "known": known}


def keep(*items: dict[str, object]) -> None:
    now = timezone.now()
    HostReport.objects.update_or_create(
        pk=1, defaults={"engine": "docker", "version": "1", "items": list(items), "probed_at": now, "fingerprint": "x"}
    )


@pytest.mark.parametrize("value", ["user_namespace", ["nothing"], [1], {"a": 1}, ["pause", "pause"], None])
def test_a_profile_requires_what_there_is(value: object) -> None:
    with pytest.raises(ValidationError):
        reports.validate_names(value)


def test_what_is_missing_is_named() -> None:
    keep(item("pause", True), item("gvisor", False))
    reports.check([], reports.report())
    reports.check(["pause"], reports.report())
    with pytest.raises(reports.CapabilityMissing, match="gvisor"):
        reports.check(["pause", "gvisor"], reports.report())
    with pytest.raises(reports.CapabilityMissing, match="disk_quota"):
        reports.check(["disk_quota"], reports.report())


def test_before_the_first_probe_one_waits() -> None:
    reports.check([], reports.report())
    with pytest.raises(reports.CapabilityMissing) as raised:
        reports.check(["pause"], reports.report())
    assert raised.value.retry_after is not None


def test_gaps_are_the_essential_ones() -> None:
    keep(item("user_namespace", False), item("gvisor", False), item("seccomp", True))
    assert len(reports.gaps(reports.report())) == 1


def test_when_a_probe_is_due() -> None:
    assert probing._is_due("x")
    keep(item("pause", True))
    assert not probing._is_due("x")
    assert probing._is_due("another engine")
    keep(item("pause", False, known=False))
    HostReport.objects.update(tried_at=timezone.now())
    assert not probing._is_due("x")
    HostReport.objects.update(tried_at=timezone.now() - timedelta(minutes=6))
    assert probing._is_due("x")
    keep(item("pause", True))
    probing.want()
    assert probing._is_due("x")


def ask(owner: User, slug: str) -> Session:
    return services.create(owner, SessionRequest("busybox", profile=slug))


@pytest.mark.parametrize("asked", [["user_namespace"], ["gvisor", "pause"], ["disk_quota"]])
async def test_the_process_engine_refuses_what_it_can_not_give(
    ann: User, image: Image, profile: Profile, engine: HookedEngine, asked: list[str]
) -> None:
    await Profile.objects.filter(pk=profile.pk).aupdate(requires=asked)
    assert await probing.refresh()
    with pytest.raises(reports.CapabilityMissing, match=asked[0]):
        await in_database(ask)(ann, profile.slug)
    assert not await Session.objects.aexists()


async def test_the_process_engine_gives_what_it_can(
    ann: User, image: Image, profile: Profile, engine: HookedEngine
) -> None:
    await Profile.objects.filter(pk=profile.pk).aupdate(requires=["pause"])
    assert await probing.refresh()
    session = await in_database(ask)(ann, profile.slug)
    assert session.state == "pending"
    await session.adelete()


async def test_a_host_that_can_no_longer_is_found_out_before_a_machine_is_made(
    ann: User, image: Image, profile: Profile, engine: HookedEngine
) -> None:
    await Profile.objects.filter(pk=profile.pk).aupdate(requires=["pause"])
    assert await probing.refresh()
    session = await in_database(ask)(ann, profile.slug)
    await in_database(keep)(item("pause", False))
    await provisioning.provision(session.pk)
    stopped = await load(session.pk)
    assert (stopped.state, stopped.reason) == (SessionState.STOPPING, Reason.FAILED)
    assert "(pause)" in stopped.message
    assert "create" not in engine.calls
    await ended(session.pk)


async def test_while_nobody_knows_a_session_waits(
    ann: User, image: Image, profile: Profile, engine: HookedEngine
) -> None:
    await Profile.objects.filter(pk=profile.pk).aupdate(requires=["pause"])
    assert await probing.refresh()
    session = await in_database(ask)(ann, profile.slug)
    await HostReport.objects.all().adelete()
    await provisioning.provision(session.pk)
    assert (await load(session.pk)).state == SessionState.STARTING
    assert "create" not in engine.calls
    assert await probing.refresh()
    await lapse(session.pk)
    await provisioning.provision(session.pk)
    assert (await load(session.pk)).state == SessionState.RUNNING
    await ended(session.pk)


async def test_the_host_is_probed_once(engine: HookedEngine, transactional_db: None) -> None:
    assert await probing.refresh()
    assert not await probing.refresh()
    assert engine.calls.count("probe") == 1
    await in_database(probing.want)()
    assert await probing.refresh()
    assert engine.calls.count("probe") == 2


async def test_an_engine_that_is_away_leaves_the_last_report(engine: HookedEngine, transactional_db: None) -> None:
    assert await probing.refresh()
    engine.down = True
    assert not await probing.refresh()
    assert await in_database(reports.problem)() == "The engine does not answer."
    assert await in_database(reports.report)() is not None
    engine.down = False
    await in_database(probing.want)()
    assert await probing.refresh()
    assert await in_database(reports.problem)() == ""


async def test_a_machine_that_is_probed_in_is_no_leak_until_its_probe_is_dead(
    engine: HookedEngine, image: Image, profile: Profile, settings: Settings
) -> None:
    machine_id = probe_machine_id(settings.PLAYGROUND_INSTANCE)
    spec = MachineSpec(machine_id, "probe", image.reference, limits_of(profile), Egress.NONE, 60)
    async with leases.alone(probing.LEASE) as mine:
        assert mine
        await engine.create(spec)
        await reconcile.sweep()
        assert await engine.status(machine_id) is not None
    await reconcile.sweep()
    assert await engine.status(machine_id) is None
