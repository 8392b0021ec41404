"""The sampler: totals, credits, budgets and disks, step by step on the process engine."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from playground.accounts.models import User
from playground.database import in_database
from playground.images.models import Image
from playground.sessions import enforcing, leases, metering, sampled, sampling, services
from playground.sessions.errors import QuotaExceeded
from playground.sessions.models import Event, Machine, MachineUsage, PersonHour, Profile, Session
from playground.sessions.requests import SessionRequest
from playground.sessions.states import Reason, SessionState
from playground.settings.limits import PersonLimits
from runtime.limits.usage import Usage
from tests.integration.core.rows import make_ready_machine, make_session
from tests.integration.core.stories import ended, history, load, machine_of, running
from tests.support.hooked_engine import HookedEngine
from tests.support.threads import at_once
from tests.support.waiting import until

MIB = 1 << 20
BURN = ["/bin/sh", "-c", "while :; do :; done"]


def reading(**changes: Any) -> Usage:
    """A machine that has done nothing yet."""
    values: dict[str, Any] = dict.fromkeys(Usage.__dataclass_fields__, 0) | {"cpu_limit_cores": None}
    return Usage(**{**values, **changes})


def add(machine: Machine, usage: Usage, at: float, *, may_limit: bool = True) -> metering.Metered:
    """One reading, so many seconds after the first."""
    row = MachineUsage.objects.filter(pk=machine.pk).first() or MachineUsage(machine=machine, sampled_at=START)
    one = metering.meter(row, usage, machine, START + timedelta(seconds=at), may_limit=may_limit)
    metering.write([row])
    return one


START = timezone.now()


@pytest.fixture
def machine(ann: User, image: Image, profile: Profile) -> Machine:
    """A machine of a running session; nothing on the engine."""
    session = make_session(ann, image, profile, SessionState.RUNNING)
    return make_ready_machine(image, profile, session)


def test_totals_grow_by_differences(machine: Machine) -> None:
    add(machine, reading(cpu_seconds=10.0, sent_bytes=100, received_bytes=5, memory_bytes=7, pids=3), 0)
    one = add(machine, reading(cpu_seconds=11.0, sent_bytes=400, received_bytes=5, memory_bytes=5, pids=2), 2)
    row = MachineUsage.objects.get()
    assert (one.cpu_seconds, one.sent_bytes) == (1.0, 300)
    assert (row.cpu_seconds, row.sent_bytes, row.received_bytes) == (11.0, 400, 5)
    assert (row.memory_bytes, row.memory_peak_bytes, row.pids, row.pids_peak) == (5, 7, 2, 3)
    assert (row.cpu_cores, row.sent_rate) == (0.5, 150)


def test_a_counter_that_begins_anew_loses_nothing(machine: Machine) -> None:
    add(machine, reading(cpu_seconds=10.0, sent_bytes=100), 0)
    one = add(machine, reading(cpu_seconds=2.0, sent_bytes=30), 2)
    assert (one.cpu_seconds, one.sent_bytes) == (2.0, 30)
    assert MachineUsage.objects.get().cpu_seconds == 12.0


def test_what_nobody_could_tell_is_no_new_beginning(machine: Machine) -> None:
    add(machine, reading(sent_bytes=100, received_bytes=100), 0)
    add(machine, reading(sent_bytes=None, received_bytes=None), 2)
    add(machine, reading(sent_bytes=150, received_bytes=100), 4)
    row = MachineUsage.objects.get()
    assert (row.sent_bytes, row.received_bytes) == (150, 100)


def test_a_pass_that_is_late_counts_nothing_twice(machine: Machine) -> None:
    add(machine, reading(cpu_seconds=1.0), 0)
    late = MachineUsage.objects.get()
    add(machine, reading(cpu_seconds=3.0), 2)
    metering.meter(late, reading(cpu_seconds=2.0), machine, START + timedelta(seconds=1), may_limit=True)
    with pytest.raises(metering.Overtaken), transaction.atomic():
        metering.write([late])
    assert MachineUsage.objects.get().cpu_seconds == 3.0


def test_two_first_readings(machine: Machine) -> None:
    rows = [MachineUsage(machine=machine, sampled_at=START) for _ in range(2)]
    for row in rows:
        metering.meter(row, reading(cpu_seconds=1.0), machine, START, may_limit=True)
    metering.write(rows[:1])
    with pytest.raises(metering.Overtaken), transaction.atomic():
        metering.write(rows[1:])


def test_credit_is_spent_and_earned(machine: Machine, profile: Profile) -> None:
    profile.cpu_baseline, profile.cpu_credit_seconds = 0.25, 10
    profile.save()
    machine = Machine.objects.select_related("profile").get()
    assert add(machine, reading(cpu_limit_cores=1.0), 0).wanted_cores == 1.0
    assert add(machine, reading(cpu_seconds=10, cpu_limit_cores=1.0), 10).wanted_cores == 1.0
    assert MachineUsage.objects.get().cpu_credit == 2.5
    assert add(machine, reading(cpu_seconds=20, cpu_limit_cores=1.0), 20).wanted_cores == 0.25
    # The engine was not told, or the worker died then: what the kernel says is what counts.
    assert add(machine, reading(cpu_seconds=20, cpu_limit_cores=0.25), 21).wanted_cores == 0.25
    assert add(machine, reading(cpu_seconds=20, cpu_limit_cores=0.25), 25).wanted_cores == 1.0


def test_many_machines_are_as_few_queries_as_one(machine: Machine, ann: User, image: Image, profile: Profile) -> None:
    def queries_of_a_pass() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            machines = sampled.machines()
            readings = {machine.pk.hex: reading(cpu_seconds=1.0) for machine in machines}
            metered = sampling._add_up(machines, readings, timezone.now())
            enforcing.enforce([one.machine for one in metered])
        assert len(metered) == Machine.objects.count()
        return [query["sql"] for query in asked.captured_queries]

    queries_of_a_pass()
    of_one = queries_of_a_pass()
    for _ in range(4):
        make_ready_machine(image, profile, make_session(ann, image, profile, SessionState.RUNNING))
    queries_of_a_pass()
    assert len(queries_of_a_pass()) == len(of_one)


async def test_totals_are_kept_when_the_session_has_ended(
    engine: HookedEngine, ann: User, image: Image, profile: Profile
) -> None:
    session = await running(ann, command=BURN)

    async def has_burnt() -> bool:
        await sampling.sample()
        return await PersonHour.objects.filter(owner=ann, cpu_seconds__gt=0.2).aexists()

    await until(has_burnt, "its CPU time is on its owner's account")
    machine = await machine_of(session)
    row = await MachineUsage.objects.aget(pk=machine.pk)
    hours = [hour async for hour in PersonHour.objects.all()]
    assert sum(hour.cpu_seconds for hour in hours) == pytest.approx(row.cpu_seconds)
    assert row.memory_peak_bytes > 0
    await ended(session.pk)
    assert (await MachineUsage.objects.aget(pk=machine.pk)).cpu_seconds == row.cpu_seconds


async def test_one_at_a_time(engine: HookedEngine, ann: User, image: Image, profile: Profile) -> None:
    token = await in_database(leases.acquire)("sample")
    assert token is not None
    assert not await sampling.sample()
    await in_database(leases.release)("sample", token)
    assert await sampling.sample()


async def test_an_engine_that_is_away_ends_nothing(
    engine: HookedEngine, ann: User, image: Image, profile: Profile
) -> None:
    session = await running(ann)
    engine.down = True
    assert await sampling.sample()
    engine.down = False
    assert (await load(session.pk)).state == SessionState.RUNNING
    await ended(session.pk)


async def test_the_days_cpu_time_is_used_up(
    engine: HookedEngine, ann: User, bob: User, image: Image, profile: Profile, settings: Settings
) -> None:
    session, other = await running(ann), await running(bob)
    limits = PersonLimits(5, 200, 20, cpu_seconds_per_day=1000)
    settings.PERSON_LIMITS = limits
    await PersonHour.objects.acreate(owner=ann, hour=timezone.now() - timedelta(hours=3), cpu_seconds=1000)
    await PersonHour.objects.acreate(owner=bob, hour=timezone.now() - timedelta(hours=25), cpu_seconds=1000)
    await sampling.sample()
    stopped = await load(session.pk)
    assert (stopped.state, stopped.reason) == (SessionState.STOPPING, Reason.QUOTA_CPU)
    assert (await load(other.pk)).state == SessionState.RUNNING
    with pytest.raises(QuotaExceeded) as caught:
        await in_database(services.create)(ann, SessionRequest("busybox"))
    assert caught.value.retry_after is not None
    assert 20 * 3600 < caught.value.retry_after <= 21 * 3600 + 1
    await ended(session.pk)
    await ended(other.pk)


def test_what_is_left_is_given_once(ann: User, image: Image, profile: Profile, settings: Settings) -> None:
    """Each session holds back a minute: of two requests for the last minute one is refused."""
    settings.PERSON_LIMITS = PersonLimits(5, 200, 20, cpu_seconds_per_day=1000)
    PersonHour.objects.create(owner=ann, hour=timezone.now(), cpu_seconds=930)
    results = at_once(*[lambda: services.create(ann, SessionRequest("busybox"))] * 3)
    assert sorted(type(result).__name__ for result in results) == ["QuotaExceeded"] * 2 + ["Session"]


def test_egress_counts_for_who_has_any(ann: User, image: Image, profile: Profile, settings: Settings) -> None:
    settings.PERSON_LIMITS = PersonLimits(5, 200, 20, egress_bytes_per_day=100 * MIB)
    PersonHour.objects.create(owner=ann, hour=timezone.now(), egress_bytes=95 * MIB)
    services.create(ann, SessionRequest("busybox"))
    Profile.objects.update(egress="internet")
    with pytest.raises(QuotaExceeded):
        services.create(ann, SessionRequest("busybox"))


async def test_bytes_of_a_session(engine: HookedEngine, ann: User, image: Image, profile: Profile) -> None:
    session, other = await running(ann), await running(ann)
    await Profile.objects.aupdate(network_bytes=1000)
    await sampling.sample()
    machine = await machine_of(session)
    await MachineUsage.objects.filter(pk=machine.pk).aupdate(sent_bytes=600, received_bytes=401)
    await sampling.sample()
    stopped = await load(session.pk)
    assert (stopped.state, stopped.reason) == (SessionState.STOPPING, Reason.QUOTA_NETWORK)
    assert (await load(other.pk)).state == SessionState.RUNNING
    await ended(session.pk)
    await ended(other.pk)


async def test_a_disk_is_warned_of_and_then_ended(
    engine: HookedEngine, ann: User, image: Image, profile: Profile
) -> None:
    await Profile.objects.aupdate(disk_bytes=10 * MIB)
    session = await running(
        ann, command=["/bin/sh", "-c", "dd if=/dev/zero of=$HOME/f bs=1048576 count=9; while :; do sleep 0.1; done"]
    )

    machine = await machine_of(session)
    scratch = engine.inner._config.run_directory / machine.pk.hex / "root"  # type: ignore[attr-defined]

    async def has_written() -> bool:
        found = await engine.inner.disk_usage(machine.pk.hex, 10 * MIB)
        return found is not None and found.used_bytes >= 9 * MIB

    async def is_warned() -> bool:
        await sampling.sample()
        return "warning" in await history(session.pk)

    await until(has_written, "it has written 9 MiB")
    await until(is_warned, "its owner is warned")
    assert (await load(session.pk)).state == SessionState.RUNNING
    (scratch / "g").write_bytes(b"x" * 3 * MIB)

    async def is_over() -> bool:
        await sampling.sample()
        return (await load(session.pk)).state != SessionState.RUNNING

    await until(is_over, "it is ended")
    stopped = await load(session.pk)
    assert stopped.reason == Reason.QUOTA_DISK
    assert "allows 10 MiB." in stopped.message
    event = await Event.objects.aget(session=session, kind="disk_full")
    assert event.data["used_bytes"] >= 12 * MIB
    assert "pause" in engine.calls
    await ended(session.pk)
    assert await Session.objects.filter(pk=session.pk, reason=Reason.QUOTA_DISK).aexists()
