"""Random kills of everything while people create, type, pause, resume and delete: nothing is left without an owner.

`FAULT_SEED=` repeats a choice of faults and moments, `FAULT_CYCLES=` says how many (20); `make faults` makes 200.
"""

import asyncio
import logging
import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import aiodocker
import httpx
import pytest

from runtime.engines.docker import private
from runtime.engines.docker.host_bridges import make_bridge, remove_bridge
from runtime.engines.docker.names import bridge_name
from runtime.engines.docker.spec import INSTANCE_LABEL, MACHINE_LABEL, container_name
from runtime.limits.shaping import limit
from tests.support.crowd import STEPS, Crowd, Member
from tests.support.docker import BUSYBOX
from tests.support.evidence import evidence
from tests.support.fault_table import FaultTable
from tests.support.kernel import CGROUPS
from tests.support.own_engine import OwnEngine, copy_image, own_engine
from tests.support.stack import Stack
from tests.support.unowned import KINDS, LeftBehind, Thing, Unowned
from tests.support.waiting import until

CYCLES = int(os.environ.get("FAULT_CYCLES", "20"))
ROUND = 10
"""Cycles, one upon the other; then everybody leaves, and what is left is counted."""
PEOPLE = 6
POOL = 2
PROFILES = ("standard", "closed", "open")
"""The pool has machines of the first, which has a network; the others are made when they are asked for."""
PREPARE = f"""
from playground.accounts.models import User
from playground.accounts.keys import create_key
from playground.images.models import Image
from playground.sessions.models import Profile
for slug, egress in (('standard', 'internet'), ('closed', 'none'), ('open', 'internet')):
    profile = Profile.objects.get(slug='standard')
    profile.slug, profile.is_default, profile.egress = slug, slug == 'standard', egress
    profile.memory_bytes = 128 << 20
    profile.save()
Image.objects.exclude(slug='busybox').update(enabled=False, pool_size=0)
Image.objects.filter(slug='busybox').update(pool_size={POOL})
for number in range({PEOPLE}):
    person = User.objects.create_user(f'person{{number}}', max_concurrent_sessions=20, max_sessions_per_day=10000)
    print(create_key(person, 'chaos')[1])
"""
"""Prints everybody's key, a line each."""
FAULTS = {
    "web -9": 3,
    "worker -9": 4,
    "beat -9": 1,
    "valkey -9": 2,
    "engine -9": 3,
    "engine -15": 2,
    "worker, engine -9": 2,
    "worker, beat, valkey -9": 1,
}
"""How likely each is."""
MOMENT_SECONDS = 0.4
"""The fault comes so long after somebody has begun a step, at most."""
STEP_SECONDS = 10.0
"""For somebody to come to the step at which the fault is to meet them."""
RECOVERY_SECONDS = 60.0
SETTLED_SECONDS = 120.0
"""Leases of the dead lapse in 10 s, what they were removing is left to them for 10 s, sweeps are 5 to 10 s apart.

Half a minute, and longer where a test run computes beside it. What no sweep finds is there after any time.
"""
OF_BRIDGES = ("bridge", "qdisc", "rule")
BRIDGES_SECONDS = 80.0
"""More for these: one that the engine knows nothing of may be about to become a network, and is left alone for 60 s."""


class Chaos:
    """One site and its engine, and what happens to them."""

    def __init__(self, stack: Stack, own: OwnEngine, crowd: Crowd, chance: random.Random) -> None:
        self.table = FaultTable(FAULTS)
        self.settled: list[float] = []
        """Seconds after each round until nothing was left."""
        self._stack = stack
        self._own = own
        self._crowd = crowd
        self._chance = chance
        self._unowned = Unowned(stack, own)
        self._begin = time.monotonic()

    async def round(self, cycles: int) -> None:
        """So many faults, then the end of all sessions and of all that the dead have left."""
        async with self._crowd.busy():
            for _ in range(cycles):
                await self._cycle()
        await self._crowd.leave()
        begin = time.monotonic()
        await self._settle()
        self.settled.append(time.monotonic() - begin)

    async def _cycle(self) -> None:
        (fault,) = self._chance.choices(list(FAULTS), list(FAULTS.values()))
        step, delay = self._chance.choice(STEPS), self._chance.random() * MOMENT_SECONDS

        async def met() -> bool:
            return self._crowd.doing()[step] > 0

        await until(met, f"somebody is at {step}", RECOVERY_SECONDS)
        await asyncio.sleep(delay)
        doing = self._crowd.doing()
        await asyncio.to_thread(self._strike, fault)
        found = await self._look_twice()
        self.table.note(fault, doing, found)
        # For who follows a long run, or looks into one that failed.
        print(
            f"{time.monotonic() - self._begin:6.1f} s  {fault}, {dict(doing)}", *sorted(found), sep="\n    ", flush=True
        )
        before = self._crowd.done()

        async def goes_on() -> bool:
            return self._crowd.done() > before

        await until(goes_on, f"the site works again after {fault}", RECOVERY_SECONDS)

    def _strike(self, fault: str) -> None:
        """Blocks until what was killed runs again, as a supervisor would have it."""
        names, _, number = fault.rpartition(" -")
        victims = [self._chance.choice(["web", "web2"]) if name == "web" else name for name in names.split(", ")]
        processes = [name for name in victims if name != "engine"]
        for name in processes:
            self._stack.kill(name)
        if "engine" in victims:
            self._own.kill() if number == "9" else self._own.stop()
        for name in reversed(processes):
            self._stack.begin(name)
        if "engine" in victims:
            self._own.revive()
        self._stack.wait_for_all()

    async def _look_twice(self) -> set[Thing]:
        """What is on its way is gone at the second look."""
        try:
            first = await asyncio.to_thread(self._unowned.look, nobody_is_here=False)
            return first and first & await asyncio.to_thread(self._unowned.look, nobody_is_here=False)
        except httpx.HTTPError:
            return set()

    async def _settle(self) -> None:
        try:
            await self._unowned.until_gone("everything has an owner and is at rest", SETTLED_SECONDS, but=OF_BRIDGES)
            await self._unowned.until_gone("bridges have networks", BRIDGES_SECONDS)
        except LeftBehind as error:
            self.table.left(error.things)
            raise
        held = [await member.held() for member in self._crowd.members]
        assert not any(held), f"sessions are held by nobody: {held}"


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """A line for every request would bury the table."""
    logger = logging.getLogger("httpx")
    level = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(level)


@pytest.fixture(scope="module")
def own(quiet: None) -> Iterator[OwnEngine]:
    """An engine that nobody else uses."""
    if os.environ.get("PLAYGROUND_ENGINE") == "process":
        pytest.skip("only Docker's engine leaves anything on its host")
    with own_engine() as own:
        # Else it is built, which takes a minute.
        if other := private.find():
            asyncio.run(copy_image(BUSYBOX, other, own.host))
        yield own


@pytest.fixture(scope="module")
def site(own: OwnEngine) -> Iterator[tuple[Stack, list[str]]]:
    """A site on that engine, and the keys of its people. Fails when anything of it is left."""
    stack = Stack("docker", own.host)
    try:
        stack.prepare()
        # Before a worker begins to fill other pools, for which it would build their images.
        keys = stack.manage("shell", "--verbosity", "0", "-c", PREPARE).split()
        stack.run_all()
        stack.manage("prepare_image", "busybox")
        yield stack, keys
    except BaseException:
        stack.stop()
        raise
    left = stack.stop()
    assert not left, left


@contextmanager
def told(seed: int, chaos: Chaos, crowd: Crowd) -> Iterator[None]:
    """Says at the end what happened, and how to have it again."""
    begin = time.monotonic()
    again = f"FAULT_SEED={seed} FAULT_CYCLES={CYCLES}"
    try:
        yield
    except BaseException as error:
        error.add_note(again)
        raise
    finally:
        seconds = ", ".join(f"{each:.0f}" for each in chaos.settled)
        print(f"\n{again}, {time.monotonic() - begin:.0f} s; at rest after {seconds} s")
        print("Steps while a fault came, and things without an owner: just after it / after the sweep.")
        print(chaos.table)
        print("Steps that came to their end:", dict(crowd.steps()))
        print("Sessions that ended unasked:", dict(crowd.ends()) or "none")


async def test_nothing_is_left_without_an_owner(site: tuple[Stack, list[str]], own: OwnEngine) -> None:
    stack, keys = site
    seed = int(os.environ.get("FAULT_SEED") or secrets.randbelow(1_000_000))
    chance = random.Random(seed)
    crowd = Crowd([Member(stack.url, key, PROFILES, random.Random(chance.random())) for key in keys])
    chaos = Chaos(stack, own, crowd, chance)
    try:
        with evidence(stack, own), told(seed, chaos, crowd):
            for done in range(0, CYCLES, ROUND):
                await chaos.round(min(ROUND, CYCLES - done))
    finally:
        await crowd.close()


def test_what_is_left_is_seen(site: tuple[Stack, list[str]], own: OwnEngine) -> None:
    """One thing of each kind: the test above could fail. What a sweep has to do with is gone after it."""
    stack, _ = site
    unowned = Unowned(stack, own)
    # What the test above has left, it has said.
    before = unowned.look(nobody_is_here=True)
    instance = (stack.data / "instance").read_text().strip()
    bridge, container_id, machine_id = bridge_name(instance, "lost"), secrets.token_hex(32), secrets.token_hex(16)
    cgroup = next(path for path in (CGROUPS / "pids", CGROUPS) if path.is_dir()) / own.cgroup / container_id
    mount = own.data_root.parent / "lost"
    shim = ["containerd-shim-runc-v2", "-c", "import time; time.sleep(600)", "-id", container_id, str(own.directory)]
    labels = {INSTANCE_LABEL: instance, MACHINE_LABEL: machine_id}
    with ExitStack() as ends:
        # While the sweep lives, it removes what we make.
        for name in ("worker", "beat"):
            stack.kill(name)
            ends.callback(stack.run, name)
        asyncio.run(_make_on_engine(own.host, container_name(instance, machine_id), labels))
        make_bridge(bridge)
        ends.callback(remove_bridge, bridge)
        limit({bridge: 1 << 20})
        cgroup.mkdir(parents=True)
        ends.callback(cgroup.rmdir)
        mount.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "lost", mount], check=True)
        ends.callback(mount.rmdir)
        ends.callback(lambda: subprocess.run(["umount", mount], check=True))
        process = subprocess.Popen(shim, executable=sys.executable)
        ends.callback(process.wait)
        ends.callback(process.kill)
        rule = ["iptables", "--wait", "-A", "FORWARD", "-i", bridge, "-j", "DROP"]
        subprocess.run(rule, check=True)
        (stack.data / "machines" / machine_id).mkdir()
        found = {thing.kind for thing in unowned.look(nobody_is_here=False) - before}
    assert found >= set(KINDS) - {"row", "quota"}
    with evidence(stack, own):
        what = "the sweep removes what belongs to nobody"
        asyncio.run(unowned.until_gone(what, SETTLED_SECONDS, besides=before))


async def _make_on_engine(host: str, name: str, labels: dict[str, str]) -> None:
    async with aiodocker.Docker(host) as docker:
        await docker.networks.create({"Name": name, "Labels": labels})
        await docker.volumes.create({"Name": name, "Labels": labels})  # type: ignore[no-untyped-call]
        await docker.containers.create({"Image": BUSYBOX, "Labels": labels}, name=name)
