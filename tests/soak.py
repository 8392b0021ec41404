"""`make soak`: half an hour of a site in use. Fails when memory is not flat, or a byte is lost or doubled.

One terminal floods a slow client, one a client that never reads, one is typed into over cuts, and more are opened and
closed all the time. `python -m tests.soak MINUTES` takes another time.
"""

import asyncio
import os
import random
import sys
import time
from typing import Any

import httpx

from runtime.remote import RemoteTerminal
from tests.benchmarks.memory import descendants, total, web_processes
from tests.benchmarks.raw_socket import RawPlayground
from tests.support.slow_link import slow_link
from tests.support.stack import Stack, chosen_engine

IMAGE = "busybox"
WARM_SHARE = 0.2
"""Of the time, after which memory must not grow."""
MOST_GROWTH = {"web": 6 << 20, "all": 16 << 20}
"""Bytes, from the first third of the time after that to the last."""
_MAKE_PERSON = (
    "from playground.accounts.models import User; "
    "User.objects.create_user('soak', max_concurrent_sessions=10, max_sessions_per_day=1000)"
)


class Site:
    """One person's session on a site of its own."""

    def __init__(self, stack: Stack) -> None:
        self.key = stack.manage("create_api_key", "soak").strip()
        headers = {"Authorization": f"Bearer {self.key}"}
        self.http = httpx.AsyncClient(base_url=f"{stack.url}/api/v1", headers=headers, timeout=60)
        self.session: dict[str, Any] = {}

    async def start(self) -> None:
        answer = await self.http.post("/sessions", json={"image": IMAGE}, headers={"Prefer": "wait=60"})
        self.session = answer.raise_for_status().json()
        assert self.session["state"] == "running", self.session

    async def terminal(self) -> tuple[str, str]:
        """A new one: its socket's address, and where it can be deleted."""
        path = f"/sessions/{self.session['id']}/terminals"
        made = (await self.http.post(path, json={})).raise_for_status().json()
        return str(made["websocket_url"]), f"{path}/{made['id']}"


async def flood_a_slow_client(site: Site) -> None:
    url, _ = await site.terminal()
    async with slow_link(url, 125_000) as link, RemoteTerminal(link.url(url), key=site.key) as terminal:
        while True:
            await terminal.send_line("yes")
            for _ in range(200):
                await terminal.read()
            await terminal.send(b"\x03")
            await terminal.send_line("echo qu''iet")
            await terminal.expect("quiet", within=30)


async def flood_a_deaf_client(site: Site) -> None:
    url, _ = await site.terminal()
    link = await asyncio.to_thread(RawPlayground, url, {"Authorization": f"Bearer {site.key}"})
    link.send(b"yes\n")
    try:
        await asyncio.Event().wait()
    finally:
        link.close()


async def type_over_cuts(site: Site) -> None:
    url, _ = await site.terminal()
    chance = random.Random(1)
    async with RemoteTerminal(url, key=site.key) as terminal:
        await terminal.send_line("stty raw -echo; cat")
        await terminal.expect("cat\r\n")
        await asyncio.sleep(1)
        terminal.seen = b""
        while True:
            word = b"%x," % chance.getrandbits(400)
            await terminal.send(word)
            if chance.random() < 0.02:
                await terminal.cut()
            found = await terminal.expect(b"^[0-9a-f]+,", within=30)
            assert found[0] == word, (found[0], word)
            await asyncio.sleep(0.01)


async def open_and_close(site: Site) -> None:
    while True:
        url, path = await site.terminal()
        async with RemoteTerminal(url, key=site.key) as terminal:
            await terminal.send_line("seq 1 2000; echo e''nd")
            await terminal.expect("end", within=30)
        (await site.http.delete(path)).raise_for_status()
        await asyncio.sleep(0.2)


async def watch(minutes: float) -> None:
    """Prints what memory the processes use every few seconds, and judges it at the end."""
    begin = time.monotonic()
    seconds = minutes * 60
    warm: list[dict[str, int]] = []
    while (passed := time.monotonic() - begin) < seconds:
        now = {"web": total(web_processes()), "all": total(descendants(os.getpid()) - {os.getpid()})}
        print(f"{passed:7.0f} s", *(f"{name} {size / 2**20:7.1f} MiB" for name, size in now.items()), flush=True)
        if passed > seconds * WARM_SHARE:
            warm.append(now)
        await asyncio.sleep(min(15.0, seconds / 20))
    third = max(1, len(warm) // 3)
    for name, most in MOST_GROWTH.items():
        sizes = [now[name] for now in warm]
        growth = sum(sizes[-third:]) // third - sum(sizes[:third]) // third
        print(f"{name}: grown by {growth / 2**20:.1f} MiB", flush=True)
        assert growth < most, f"{name} has grown by {growth} bytes"


async def soak(stack: Stack, minutes: float) -> None:
    site = Site(stack)
    await site.start()
    work = (flood_a_slow_client, flood_a_deaf_client, type_over_cuts, open_and_close)
    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(each(site)) for each in work]
        await watch(minutes)
        for task in working:
            task.cancel()
    (await site.http.delete(f"/sessions/{site.session['id']}")).raise_for_status()
    await site.http.aclose()


def main(minutes: float) -> None:
    stack = Stack(chosen_engine())
    try:
        stack.start()
        stack.manage("prepare_image", IMAGE)
        stack.manage("shell", "--verbosity", "0", "-c", _MAKE_PERSON)
        asyncio.run(soak(stack, minutes))
    finally:
        left = stack.stop()
    assert not left, left


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30)
