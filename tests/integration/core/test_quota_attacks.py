"""Real containers that take all they can get: what is bounded, what ends, and what its owner is told."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from playground.accounts.models import User
from playground.engine import close_engine, get_engine
from playground.sessions import pausing, reconcile, sampling
from playground.sessions.models import Event, MachineUsage, Profile, Session
from playground.sessions.states import Reason, SessionState
from playground.settings.environment import EngineChoice
from runtime.engines.base import Egress, Engine
from runtime.engines.base import MachineState as EngineState
from tests.integration.core.stories import ended, history, load, machine_of, running
from tests.support.docker import docker_host, ensure_image, sweep
from tests.support.outside import ENDLESS, INTERNET, SINK, Outside, outside
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("image")
MIB = 1 << 20
FILL = "while dd if=/dev/zero of=/root/$((n = n + 1)) bs=1048576 count=8 2>/dev/null; do :; done; sleep 60"
HIDE = "exec 5>/root/f; rm /root/f; dd if=/dev/zero bs=1048576 count=200 >&5 2>/dev/null; sleep 60"
MANY = "mkdir /root/d; cd /root/d; while :>$((n = n + 1)); do :; done; sleep 60"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """Something that can be reached from a machine."""
    with outside(tmp_path_factory.mktemp("outside")) as found:
        yield found


@pytest.fixture(autouse=True)
def installation(settings: Settings) -> Iterator[Path]:
    """A data directory through which the remapped root of a machine may pass, and the real engine."""
    data = Path(tempfile.mkdtemp(prefix="pc-"))
    data.chmod(0o711)
    settings.DATA = data
    settings.PLAYGROUND_INSTANCE = data.name.removeprefix("pc-").replace("_", "0").lower()
    settings.PLAYGROUND_ENGINE = EngineChoice.DOCKER
    settings.DOCKER_HOST = docker_host()
    yield data
    shutil.rmtree(data)


@pytest.fixture
async def engine(installation: Path, settings: Settings) -> AsyncIterator[Engine]:
    """Fails the test that leaves a machine behind."""
    engine = get_engine()
    await ensure_image(engine, "busybox")  # type: ignore[arg-type]
    yield engine
    left = [status.machine_id for status in await engine.machines()]
    for machine_id in left:
        await engine.remove(machine_id)
    await close_engine()
    await sweep(settings.DOCKER_HOST, settings.PLAYGROUND_INSTANCE)
    assert left == [], f"the test left machines: {left}"


async def sampled_until(session: Session, *kinds: str) -> None:
    """Samples until all of these are in the session's history."""

    async def has_happened() -> bool:
        await sampling.sample()
        return set(kinds) <= set(await history(session.pk))

    await until(has_happened, f"{kinds} happened", within=120)


async def limited(profile: Profile, egress: Egress = Egress.NONE, **limits: float) -> None:
    """Small numbers, so that the test takes seconds."""
    await Profile.objects.filter(pk=profile.pk).aupdate(egress=egress.value, **limits)


async def has_burnt(session: Session, seconds: float) -> None:
    """Samples until the session's machine has used so much CPU time more."""
    machine = await machine_of(session)
    before = await cpu_seconds(session)

    async def burnt() -> bool:
        await sampling.sample()
        return await cpu_seconds(session) >= before + seconds

    await until(burnt, f"{machine} has used {seconds} s of CPU", within=120)


async def cpu_seconds(session: Session) -> float:
    """As of the last sample."""
    row = await MachineUsage.objects.filter(machine__session=session).afirst()
    return row.cpu_seconds if row else 0.0


async def test_a_cpu_burner_is_slowed_down_and_gets_it_back(engine: Engine, ann: User, profile: Profile) -> None:
    await limited(profile, cpus=1.0, cpu_baseline=0.05, cpu_credit_seconds=1)
    # A baseline so low that even a host that is busy with others gives more.
    burn = "while :; do :; done"
    session = await running(ann, command=["/bin/sh", "-c", burn])
    machine = await machine_of(session)
    await sampled_until(session, "cpu_slowed")
    slowed = (await engine.usage([machine.pk.hex]))[machine.pk.hex]
    assert slowed.cpu_limit_cores == pytest.approx(0.05)

    async def is_at_its_baseline() -> bool:
        await sampling.sample()
        row = await MachineUsage.objects.aget(pk=machine.pk)
        return row.throttled_share > 0.2 and row.cpu_cores < 0.1

    await until(is_at_its_baseline, "it uses no more than its baseline", within=120)
    assert (await load(session.pk)).state == SessionState.RUNNING
    await pausing.pause(session.pk)  # it uses nothing, and earns
    await MachineUsage.objects.filter(pk=machine.pk).aupdate(cpu_credit=0.95)
    await sampled_until(session, "cpu_restored")
    restored = (await engine.usage([machine.pk.hex]))[machine.pk.hex]
    assert restored.cpu_limit_cores == pytest.approx(1.0)
    await ended(session.pk)


async def test_a_memory_bomb_is_told_of_and_the_rest_goes_on(engine: Engine, ann: User, profile: Profile) -> None:
    await limited(profile, memory_bytes=64 * MIB, tmpfs_bytes=16 * MIB)
    # The first sample sees it whole.
    bomb = "sleep 1; sh -c 'x=$(head -c 300000000 /dev/zero | tr \"\\0\" x)'; sleep 300"
    session = await running(ann, command=["/bin/sh", "-c", bomb])
    await sampled_until(session, "oom_kill")
    event = await Event.objects.aget(session=session, kind="oom_kill")
    assert event.data["processes"] >= 1
    assert (await load(session.pk)).state == SessionState.RUNNING
    await ended(session.pk)
    assert (await MachineUsage.objects.aget(machine__session=session)).oom_kills >= 1, "it stays when it has ended"


@pytest.mark.parametrize("attack", [FILL, HIDE, MANY], ids=["fills", "deletes what it holds open", "empty files"])
async def test_a_disk_filler_is_ended(engine: Engine, ann: User, profile: Profile, attack: str) -> None:
    await limited(profile, disk_bytes=64 * MIB)
    session = await running(ann, command=["/bin/sh", "-c", attack])
    await sampled_until(session, "disk_full")
    stopped = await load(session.pk)
    assert stopped.reason == Reason.QUOTA_DISK, stopped.message
    event = await Event.objects.aget(session=session, kind="disk_full")
    over = (event.data["used_bytes"] - 64 * MIB) / MIB
    print(f"overshoot: {over:.1f} MiB")
    assert over > 0
    assert "allows 64 MiB." in stopped.message
    await ended(session.pk)
    assert await engine.machines() == []
    assert (await MachineUsage.objects.aget(machine__session=session)).disk_peak_bytes > 64 * MIB


@pytest.mark.parametrize(
    "line",
    [f"nc {INTERNET} {ENDLESS} >/dev/null", f"nc {INTERNET} {SINK} </dev/zero"],
    ids=["takes", "sends"],
)
async def test_traffic_beyond_its_bytes_ends_it(
    engine: Engine, world: Outside, ann: User, profile: Profile, line: str
) -> None:
    await limited(profile, Egress.INTERNET, network_bytes=4 * MIB, download_bytes_per_second=2 * MIB)
    session = await running(ann, command=["/bin/sh", "-c", f"{line}; sleep 60"])
    await sampled_until(session, "stopping")
    stopped = await load(session.pk)
    assert stopped.reason == Reason.QUOTA_NETWORK, stopped.message
    row = await MachineUsage.objects.aget(machine__session=session)
    assert row.received_bytes + row.sent_bytes > 4 * MIB
    await ended(session.pk)
    assert await engine.machines() == []


async def test_a_paused_session_uses_no_cpu_and_is_not_idle(engine: Engine, ann: User, profile: Profile) -> None:
    await limited(profile, cpu_baseline=0)
    burn = ["/bin/sh", "-c", "while :; do :; done"]
    session, other = await running(ann, command=burn), await running(ann, command=burn)
    await has_burnt(session, 0.2)
    await pausing.pause(session.pk)
    await sampling.sample()
    before = await cpu_seconds(session)
    await Session.objects.filter(pk=session.pk).aupdate(last_activity_at=timezone.now() - timedelta(hours=3))
    await has_burnt(other, 1.0)
    await reconcile.sweep()
    assert (await load(session.pk)).state == SessionState.PAUSED
    status = await engine.status((await machine_of(session)).pk.hex)
    assert status is not None
    assert status.state is EngineState.PAUSED
    assert await cpu_seconds(session) == before
    await pausing.resume(session.pk)
    await reconcile.sweep()
    assert (await load(session.pk)).state == SessionState.RUNNING, "its idle time begins anew"
    await has_burnt(session, 0.2)
    await ended(session.pk)
    await ended(other.pk)
