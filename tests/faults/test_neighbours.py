"""What one session does to use up its host: it gets its reason or a refusal, and its neighbour types on.

No times are held to here: what the neighbour's echo takes meanwhile is in `tests/benchmarks/neighbours.py`.
"""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.support.docker import docker_host
from tests.support.mistreated import IMAGE, LOOK_SECONDS, WITHIN, Mistreated, has_rested
from tests.support.waiting import until
from tests.support.websocket_terminal import WebSocketTerminal, opened

ECHO_SECONDS = 30.0
"""In which the neighbour's key comes back, on a host that has much else to do."""
TERMINALS = 1000
AT_ONCE = 20
GROWTH = 48 << 20
"""Bytes that a web process may have grown by: a thousand terminals that it kept would take more."""
PROFILES = (
    "from playground.sessions.models import Profile; tight = Profile.objects.get(is_default=True); "
    "tight.pk, tight.is_default, tight.pids, tight.disk_bytes, tight.network_bytes = "
    "'tight', False, 64, 64 << 20, 32 << 20; tight.save(); "
    "tight.pk, tight.pids = 'roomy', 600; tight.save()"
)


@dataclass(frozen=True)
class Attack:
    """A line of `sh`, and how its session may stand when it is over."""

    line: str
    reasons: frozenset[str | None]
    """None: it runs on."""
    fields: dict[str, object] = field(default_factory=dict)


# The first three last some seconds: the kernel bounds them, and who forks can't be told from who should end.
ATTACKS = {
    "fork bomb": Attack("b() { b | b & }; b; sleep 4; exit 0", frozenset({None, "oom", "exited"})),
    "memory bomb": Attack("exec tail /dev/zero", frozenset({None, "oom", "exited"})),
    "CPU burner": Attack(
        "for n in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done; sleep 4; exit 0", frozenset({None})
    ),
    "disk filler": Attack(
        "while dd if=/dev/zero of=/root/$((n = n + 1)) bs=1048576 count=8; do :; done; sleep 60",
        frozenset({"quota_disk"}),
    ),
    # As fast as the bridge goes: what is limited is what leaves it.
    "packet flood": Attack(
        "while :; do nc db 9000 </dev/zero; done",
        frozenset({"quota_network"}),
        {"machines": [{"name": "db", "image": IMAGE}]},
    ),
}
LISTEN = "while :; do nc -l -p 9000 >/dev/null; done"


@pytest.fixture(autouse=True, scope="module")
def profiles(site: Mistreated) -> None:
    """One with little of everything, and one where processes are not what runs out first.

    Without a Docker engine nothing would bound these attacks.
    """
    docker_host()
    site.stack.manage("shell", "--verbosity", "0", "-c", PROFILES)


class Neighbour:
    """Somebody who types in another session."""

    def __init__(self, terminal: WebSocketTerminal) -> None:
        self._terminal = terminal
        self._numbers = itertools.count(1)

    async def types(self) -> None:
        """A line that does nothing; returns when its echo and the next prompt are there."""
        number = next(self._numbers)
        await self._terminal.send_line(f"# {number}")
        await self._terminal.expect(rf"# {number}\r\n.*[#$] ", within=ECHO_SECONDS)

    async def types_until(self, done: asyncio.Future[Any]) -> None:
        """Again and again; raises what went wrong there."""
        while not done.done():
            await self.types()
        await done


async def _attack(
    site: Mistreated, session: dict[str, Any], line: str, machine: str = "main", seconds: int = 6
) -> None:
    """Runs it for some seconds; how that ends is the attacker's affair."""
    body = {"command": line, "machine": machine, "timeout_seconds": seconds}
    async with httpx.AsyncClient(base_url=f"{site.stack.url}/api/v1", headers=site.headers, timeout=90) as api:
        while await has_rested(answer := await api.post(f"/sessions/{session['id']}/exec", json=body)):
            pass
    # The machine may have no process left for it, or be gone by now.
    assert answer.status_code in {200, 409, 503}, answer.text


async def _until_it_has_its_reason(site: Mistreated, session: dict[str, Any], attack: Attack) -> None:
    listening = asyncio.create_task(_attack(site, session, LISTEN, "db", 60)) if attack.fields else None
    ends = None not in attack.reasons
    await _attack(site, session, attack.line, seconds=60 if ends else 6)
    if ends:
        await site.reaches(session, "ended")
    if listening is not None:
        await listening


async def _both(site: Mistreated, profile: str = "tight", **fields: object) -> tuple[dict[str, Any], dict[str, Any]]:
    made = await asyncio.gather(site.create(profile=profile, **fields), site.create())
    attacker, neighbour = [await site.reaches(each, "running") for each in made]
    return attacker, neighbour


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_stays_in_its_own_machine(site: Mistreated, name: str) -> None:
    attack = ATTACKS[name]
    attacker, neighbour = await _both(site, **attack.fields)
    async with opened(neighbour["terminals"][0]["websocket_url"], headers=site.headers) as terminal:
        person = Neighbour(terminal)
        await person.types()
        await person.types_until(asyncio.ensure_future(_until_it_has_its_reason(site, attacker, attack)))
        await person.types()
        assert terminal.heard.closed is None
    seen = await site.session(attacker)
    assert seen["reason"] in attack.reasons, seen
    assert (await site.session(neighbour))["state"] == "running"
    await site.end(attacker, neighbour)


@pytest.mark.parametrize(("profile", "most"), [("tight", 64), ("roomy", 256)])
async def test_a_thousand_terminals_are_not_to_be_had(site: Mistreated, profile: str, most: int) -> None:
    attacker, neighbour = await _both(site, profile)
    places = asyncio.Semaphore(AT_ONCE)
    codes: Counter[str] = Counter()
    opened_ones: list[str] = []
    async with (
        httpx.AsyncClient(base_url=f"{site.stack.url}/api/v1", headers=site.headers, timeout=60) as api,
        opened(neighbour["terminals"][0]["websocket_url"], headers=site.headers) as terminal,
    ):

        async def one() -> None:
            async with places:
                answer = await api.post(f"/sessions/{attacker['id']}/terminals", json={})
            if await has_rested(answer):
                return await one()
            codes["opened" if answer.is_success else answer.json()["code"]] += 1
            if answer.is_success:
                opened_ones.append(answer.json()["id"])
            return None

        person = Neighbour(terminal)
        await person.types()
        before = site.stack.memory("web", "web2")
        await person.types_until(asyncio.gather(*(one() for _ in range(TERMINALS))))
        await person.types()
        after = site.stack.memory("web", "web2")
        assert all(now - then < GROWTH for now, then in zip(after, before, strict=True)), (before, after)
        assert terminal.heard.closed is None
        # It is told so in words, and may go on with what it has.
        assert set(codes) <= {"opened", "busy", "command_failed", "machine_unreachable"}, codes
        assert most // 2 < codes["opened"] < most, codes
        assert codes["busy"] > 0, codes
        for each in opened_ones[:2]:
            await site.ask("DELETE", f"/sessions/{attacker['id']}/terminals/{each}")

        async def there_is_room() -> bool:
            answer = await api.post(f"/sessions/{attacker['id']}/terminals", json={})
            return not await has_rested(answer) and answer.is_success

        # What was closed is hung up, and has ended a moment later.
        await until(there_is_room, "a terminal for those that were closed", WITHIN, LOOK_SECONDS)
    await site.end(attacker, neighbour)
