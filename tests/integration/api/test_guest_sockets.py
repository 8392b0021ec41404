"""Guests at real terminals: what reaches the shell, who decides its size, and how quickly a right ends."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime

import pytest
from django.utils import timezone

from playground.database import in_database
from playground.sessions.models import Session, Terminal
from playground.sharing import limits
from playground.sharing.models import Guest, ShareLink
from playground.sharing.presence import MAY_TYPE, MAY_WATCH, TOO_MANY
from tests.support.guests import GuestBrowser, forget_entries, guest_browser, guests_of, make_link
from tests.support.live_site import LiveSite
from tests.support.people import Person
from tests.support.sockets import close_code
from tests.support.waiting import until
from tests.support.websocket_terminal import WebSocketTerminal, opened

SOON = limits.CHECK_SECONDS + 13.0
"""Seconds within which a guest who may not be there any more is cut off, on a machine that stops for seconds. Without
the check they would stay."""


@pytest.fixture
def terminal(session: str) -> Terminal:
    """Of ann's running session."""
    return Terminal.objects.get(machine__session_id=session)


@pytest.fixture
def gus(site: LiveSite) -> Iterator[GuestBrowser]:
    forget_entries(site)
    with guest_browser(site) as browser:
        yield browser


def _owners(
    ann: Person, site: LiveSite, terminal: Terminal, **query: object
) -> AbstractAsyncContextManager[WebSocketTerminal]:
    headers = {"Authorization": f"Bearer {ann.key}"}
    return opened(f"{site.ws_url}/ws/v1/terminals/{terminal.pk}", headers=headers, **query)


def _guests(gus: GuestBrowser, terminal: Terminal, **query: object) -> AbstractAsyncContextManager[WebSocketTerminal]:
    headers = {**gus.socket_headers(), "Origin": gus.site.url}
    return opened(f"{gus.site.ws_url}/ws/v1/guest/terminals/{terminal.pk}", headers=headers, **query)


def _allow(ann: Person, session: str, role: str = "helper") -> None:
    (guest,) = guests_of(ann, session)
    assert ann.api.patch(f"/sessions/{session}/guests/{guest['id']}", json={"role": role}).status_code == 200


async def _undisturbed(owner: WebSocketTerminal, word: str) -> None:
    await owner.send(f"echo {word}-$((40+2)); stty size\n".encode())
    await owner.expect(rf"{word}-42\r\n33 111")


@pytest.mark.parametrize(
    "frame",
    [b"\x00touch /tmp/guest-was-here\n", b"\x01\x00\x50\x00\x18", b"\x03" + bytes(8) + b"exit\n", b"\x7f", b""],
    ids=["input", "resize", "input_at", "unknown", "empty"],
)
async def test_who_watches_changes_nothing(
    frame: bytes, ann: Person, session: str, terminal: Terminal, gus: GuestBrowser, site: LiveSite
) -> None:
    gus.enter(make_link(ann, session, "helper")["url"])
    async with _owners(ann, site, terminal, cols=111, rows=33) as owner:
        await _undisturbed(owner, "before")
        async with _guests(gus, terminal, cols=40, rows=10, role="control") as guest:
            assert (guest.heard.hello["role"], guest.heard.hello["cols"], guest.heard.hello["rows"]) == (
                "observe",
                111,
                33,
            )
            await guest.expect("before-42")
            await guest.socket.send(frame)
            assert (await guest.closing()).code in (4400, 4403)
        await _undisturbed(owner, "after")


async def test_a_helper_types_and_decides_the_size_by_it(
    ann: Person, session: str, terminal: Terminal, gus: GuestBrowser, site: LiveSite
) -> None:
    gus.enter(make_link(ann, session, "helper")["url"])
    _allow(ann, session)
    async with _owners(ann, site, terminal, cols=111, rows=33) as owner:
        await _undisturbed(owner, "before")
        async with _guests(gus, terminal, cols=40, rows=10, client=7) as guest:
            assert (guest.heard.hello["role"], guest.heard.hello["cols"]) == ("control", 111)
            await _undisturbed(owner, "came")
            await guest.resize(70, 20)
            await guest.send(b"echo helped-$((1+1)); stty size\n")
            await owner.expect(r"helped-2\r\n20 70")
            assert {"type": "resized", "cols": 70, "rows": 20} in owner.heard.notices
            await owner.resize(111, 33)
            await _undisturbed(owner, "mine")


async def test_consent_is_met_at_once_and_ends_at_once(
    ann: Person, session: str, terminal: Terminal, gus: GuestBrowser
) -> None:
    gus.enter(make_link(ann, session, "helper")["url"])
    async with _guests(gus, terminal) as guest:
        _allow(ann, session)
        begun = time.monotonic()
        closed = await guest.closing()
        assert (closed.code, closed.reason) == (1012, MAY_TYPE)
        assert time.monotonic() - begun < SOON
        offset = guest.offset
    async with _guests(gus, terminal, offset=offset) as guest:
        assert guest.heard.hello["role"] == "control"
        await guest.send(b"echo typed-$((2+2))\n")
        await guest.expect("typed-4")
        _allow(ann, session, "observer")
        begun = time.monotonic()
        closed = await guest.closing()
        assert (closed.code, closed.reason) == (1012, MAY_WATCH)
        assert time.monotonic() - begun < SOON
    async with _guests(gus, terminal) as guest:
        assert guest.heard.hello["role"] == "observe"


def _removed(ann: Person, session: str) -> None:
    (guest,) = guests_of(ann, session)
    ann.api.delete(f"/sessions/{session}/guests/{guest['id']}").raise_for_status()


def _revoked(ann: Person, session: str) -> None:
    ann.api.delete(f"/sessions/{session}/share-links/{ShareLink.objects.get().pk}").raise_for_status()


def _expired(_ann: Person, _session: str) -> None:
    ShareLink.objects.update(expires_at=timezone.now())


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (_removed, "The session's owner has ended your visit."),
        (_revoked, "The link was revoked by the session's owner."),
        (_expired, "The link's time is over."),
    ],
)
async def test_a_right_that_ends_ends_the_socket(
    end: Callable[[Person, str], None],
    reason: str,
    ann: Person,
    session: str,
    terminal: Terminal,
    gus: GuestBrowser,
    site: LiveSite,
) -> None:
    gus.enter(make_link(ann, session, "helper")["url"])
    _allow(ann, session)
    async with _owners(ann, site, terminal, cols=111, rows=33) as owner, _guests(gus, terminal) as guest:
        await _undisturbed(owner, "before")
        await in_database(end)(ann, session)
        begun = time.monotonic()
        closed = await guest.closing()
        assert (closed.code, closed.reason) == (4401, reason)
        assert time.monotonic() - begun < SOON
        await _undisturbed(owner, "after")


async def test_the_owner_is_told_and_guests_are_not(
    ann: Person, session: str, terminal: Terminal, gus: GuestBrowser, site: LiveSite
) -> None:
    url = make_link(ann, session)["url"]
    gus.enter(url, "Gus")
    async with _owners(ann, site, terminal) as owner, _guests(gus, terminal) as guest:
        with guest_browser(site) as other:
            other.enter(url, "Gwen")
        while not any(notice["type"] == "watchers" and notice["name"] == "Gwen" for notice in owner.heard.notices):
            assert await owner.next() is not None
        joined = next(notice for notice in owner.heard.notices if notice.get("name") == "Gwen")
        assert (joined["change"], joined["role"]) == ("joined", "observer")
        # It was looked at after Gwen came: what it was told by then is all.
        await owner.send(b"echo later-$((3+3))\n")
        await guest.expect("later-6")
        assert [notice for notice in guest.heard.notices if notice["type"] == "watchers"] == []


async def test_sockets_of_one_guest_are_bounded(
    ann: Person, session: str, terminal: Terminal, gus: GuestBrowser, site: LiveSite
) -> None:
    gus.enter(make_link(ann, session)["url"])
    async with AsyncExitStack() as held:
        for _ in range(limits.SOCKETS_OF_A_GUEST):
            await held.enter_async_context(_guests(gus, terminal))
        headers = {**gus.socket_headers(), "Origin": site.url}
        address = f"{site.ws_url}/ws/v1/guest/terminals/{terminal.pk}"
        assert await asyncio.to_thread(close_code, address, headers) == (4429, TOO_MANY)
        async with _owners(ann, site, terminal, cols=111, rows=33) as owner:
            await _undisturbed(owner, "free")


async def test_a_guest_who_reads_nothing_holds_nobody_up(
    ann: Person, session: str, terminal: Terminal, gus: GuestBrowser, site: LiveSite
) -> None:
    gus.enter(make_link(ann, session)["url"])
    async with _owners(ann, site, terminal, cols=111, rows=33) as owner, _guests(gus, terminal):
        await owner.send(b"stty -echo; seq 1 300000; echo done-$((5+5))\n")
        # Two megabytes, and all of them are read here.
        await owner.expect("done-10", within=120)


async def test_who_is_there(ann: Person, session: str, terminal: Terminal, gus: GuestBrowser) -> None:
    gus.enter(make_link(ann, session)["url"])
    await in_database(Guest.objects.update)(seen_at=timezone.now() - 2 * limits.HERE)

    def last_seen() -> datetime:
        return Guest.objects.get().seen_at

    async def is_here() -> bool:
        return bool(guests_of(ann, session)[0]["is_here"])

    assert not await is_here()
    async with _guests(gus, terminal):
        await until(is_here, "they are seen")
        seen = await in_database(last_seen)()

    async def has_gone() -> bool:
        return await in_database(last_seen)() < seen

    # Nobody waits until they were not seen for a while: when they were seen last is put back.
    await until(has_gone, "their going is noted")
    assert not await is_here()


async def test_a_paused_session_refuses_guests_too(
    ann: Person, session: str, terminal: Terminal, gus: GuestBrowser
) -> None:
    gus.enter(make_link(ann, session)["url"])
    await in_database(Session.objects.filter(pk=session).update)(state="paused")
    try:
        address = f"{gus.site.ws_url}/ws/v1/guest/terminals/{terminal.pk}"
        code, _ = await asyncio.to_thread(close_code, address, {**gus.socket_headers(), "Origin": gus.site.url})
        assert code == 4409
        assert gus.state(session).json()["visit"]["session"]["state"] == "paused"
    finally:
        await in_database(Session.objects.filter(pk=session).update)(state="running")
