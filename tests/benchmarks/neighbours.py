"""Keystroke echo of somebody whose neighbour does the worst that a machine can do, beside the same without one."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import httpx

from tests.benchmarks.echo import settle, type_together
from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import Installation
from tests.benchmarks.raw_socket import RawPlayground
from tests.benchmarks.site import Session, Site

KEYS = 300
PAUSE = 0.02
"""Seconds between two keys."""
SECONDS = 15
"""How long an attack lasts: longer than the keys take."""
BURN = "for n in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done; wait"
FORK = "bomb() { bomb | bomb & }; bomb; sleep 60"
HOARD = "while :; do tail /dev/zero; done"
FLOOD = "for n in 1 2; do bash -c 'while :; do cat /dev/zero >/dev/udp/192.0.2.1/9; done' & done; wait"
"""The address is nobody's (RFC 5737), so that nobody is flooded: what the host does with the packets is the same."""
FILL = "while :; do dd if=/dev/zero of=/root/filled bs=1048576 count=512; done"
Benchmark = Callable[[Installation], Awaitable[Comparison]]


def beside(name: str, attack: str) -> Benchmark:
    """The benchmark of one attack, a line of the shell."""

    async def measure(made: Installation) -> Comparison:
        typist, attacker = made.site(), made.site()
        async with typist.session(made.image) as ours, attacker.session(made.image) as theirs:
            address = ours["terminals"][0]["websocket_url"]
            quiet = await asyncio.to_thread(_typed, address, typist)
            attacking = asyncio.create_task(_run(attacker, theirs, attack))
            during = await asyncio.to_thread(_typed, address, typist)
            assert not attacking.done(), "the attack was over before the keys were"
            await attacking
        before, beside = Figure("without it", "ms", quiet), Figure("ours", "ms", during)
        title = f"keystroke echo beside a {name}"
        comparison = Comparison(title, beside, before, "p95 at most 2 times the quiet value")
        comparison.notes.append(f"p95: {beside.p95 / before.p95:.2f} times the quiet value")
        comparison.met = beside.p95 <= 2 * before.p95
        return comparison

    return measure


def _typed(address: str, site: Site) -> list[float]:
    link = RawPlayground(address, site.headers)
    settle(link)
    values = type_together([link], KEYS, PAUSE)
    link.close()
    return values


async def _run(site: Site, session: Session, line: str) -> None:
    body = {"command": ["sh", "-c", line], "timeout_seconds": SECONDS}
    # How it ends is its own affair: it may take its machine with it.
    with contextlib.suppress(httpx.HTTPError):
        await site.http.post(f"/sessions/{session['id']}/exec", json=body)


ATTACKS = (
    beside("CPU burner", BURN),
    beside("fork bomb", FORK),
    beside("memory bomb", HOARD),
    beside("disk filler", FILL),
    beside("packet flood", FLOOD),
)
