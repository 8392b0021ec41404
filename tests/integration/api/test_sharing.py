"""Links into a session and the guests who come by them: who may what, and what attackers find."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from playground.accounts.models import User
from playground.api.rate_limits import WINDOW
from playground.sessions.models import Event, Session, Terminal
from playground.sessions.states import SessionState
from playground.sharing import limits
from playground.sharing.models import Guest, GuestState, ShareLink
from playground.tokens import digest_of
from tests.support.guests import GuestBrowser, forget_entries, guest_browser, guests_of, make_link, token_of
from tests.support.live_site import LiveSite
from tests.support.people import Person, assert_problem
from tests.support.recordings import wait_until
from tests.support.sockets import close_code


@pytest.fixture
def hers(anns: Terminal) -> str:
    """The id of ann's session."""
    return str(anns.machine.session_id)


@pytest.fixture
def gus(site: LiveSite) -> Iterator[GuestBrowser]:
    """Has no account."""
    forget_entries(site)
    with guest_browser(site) as browser:
        yield browser


@pytest.fixture
def address(site: LiveSite, anns: Terminal) -> str:
    """Of ann's terminal, for guests."""
    return f"{site.ws_url}/ws/v1/guest/terminals/{anns.pk}"


def kinds(session: str) -> list[str]:
    return list(Event.objects.filter(session_id=session).values_list("kind", flat=True))


def test_a_link_is_shown_once_and_kept_as_a_hash(ann: Person, hers: str, site: LiveSite) -> None:
    made = make_link(ann, hers, "helper", 900)
    assert made["url"].startswith(f"{site.url}/join#")
    token = token_of(made["url"])
    assert len(token) >= 43
    row = ShareLink.objects.get()
    assert row.digest == digest_of(token)
    (listed,) = ann.api.get(f"/sessions/{hers}/share-links").json()["items"]
    assert listed == {**made, "url": None}
    for event in Event.objects.all():
        assert token not in json.dumps(event.data)
    assert token not in site.log("web")


def test_a_guest_needs_no_account(ann: Person, hers: str, gus: GuestBrowser, anns: Terminal) -> None:
    made = make_link(ann, hers)
    seen = gus.post("/join/look", {"token": token_of(made["url"])}).json()
    assert seen == {"session": "hers", "owner": "ann", "role": "observer", "is_recorded": False, "until": None}
    assert Guest.objects.count() == 0
    answer = gus.enter(made["url"], "  Gus  Lee ")
    assert (answer.status_code, answer.json()) == (201, {"page": f"/watch/{hers}"})
    (cookie,) = [value for value in answer.headers.get_list("set-cookie") if value.startswith("playground_guest_")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    visit = gus.state(hers).json()["visit"]
    assert (visit["name"], visit["role"], visit["may_ask"]) == ("Gus Lee", "observer", False)
    assert [terminal["id"] for terminal in visit["session"]["terminals"]] == [str(anns.pk)]
    assert set(visit["session"]) == {"id", "name", "owner", "state", "message", "is_recorded", "terminals"}
    (guest,) = guests_of(ann, hers)
    assert (guest["name"], guest["role"], guest["is_here"], guest["link"]) == ("Gus Lee", "observer", True, made["id"])
    assert kinds(hers) == ["share_link_made", "guest_joined"]
    assert gus.http.get(f"/watch/{hers}").status_code == 200


def test_asking_and_answers(ann: Person, hers: str, gus: GuestBrowser) -> None:
    gus.enter(make_link(ann, hers, "helper")["url"])
    assert gus.state(hers).json()["visit"]["may_ask"] is True
    assert gus.post(f"/watch/{hers}/ask").status_code == 204
    (guest,) = guests_of(ann, hers)
    assert (guest["is_asking"], guest["role"]) == (True, "observer")
    assert_problem(gus.post(f"/watch/{hers}/ask"), 429, "guest_asked_lately")
    path = f"/sessions/{hers}/guests/{guest['id']}"
    assert ann.api.patch(path, json={"role": "helper"}).json()["role"] == "helper"
    visit = gus.state(hers).json()["visit"]
    assert (visit["role"], visit["may_ask"], visit["is_asking"]) == ("helper", False, False)
    assert ann.api.patch(path, json={"role": "observer"}).json()["role"] == "observer"
    assert gus.state(hers).json()["visit"]["role"] == "observer"
    assert_problem(gus.post(f"/watch/{hers}/ask"), 429, "guest_asked_lately")
    Guest.objects.update(asked_at=timezone.now() - limits.ASK_AGAIN)
    assert gus.post(f"/watch/{hers}/ask").status_code == 204
    assert kinds(hers)[2:] == ["guest_asks", "guest_role", "guest_role", "guest_asks"]


def test_a_request_that_nobody_answers_lapses(ann: Person, hers: str, gus: GuestBrowser) -> None:
    gus.enter(make_link(ann, hers, "helper")["url"])
    gus.post(f"/watch/{hers}/ask")
    Guest.objects.update(asked_at=timezone.now() - limits.ASK_AGAIN)
    assert guests_of(ann, hers)[0]["is_asking"] is False
    assert gus.state(hers).json()["visit"]["role"] == "observer"


def test_a_link_to_watch_lets_nobody_ask(ann: Person, hers: str, gus: GuestBrowser) -> None:
    gus.enter(make_link(ann, hers, "observer")["url"])
    assert_problem(gus.post(f"/watch/{hers}/ask"), 409, "guest_may_only_watch")


def test_sending_away(ann: Person, hers: str, gus: GuestBrowser, address: str, site: LiveSite) -> None:
    url = make_link(ann, hers)["url"]
    gus.enter(url)
    (guest,) = guests_of(ann, hers)
    for _ in range(2):
        assert ann.api.delete(f"/sessions/{hers}/guests/{guest['id']}").status_code == 204
    assert guests_of(ann, hers) == []
    assert_problem(gus.state(hers), 403, "guest_removed")
    assert_problem(gus.enter(url, "Gus again"), 403, "guest_removed")
    code, reason = close_code(address, gus.socket_headers(), origin=site.url)
    assert (code, reason) == (4401, "The session's owner has ended your visit.")
    path = f"/sessions/{hers}/guests/{guest['id']}"
    assert_problem(ann.api.patch(path, json={"role": "helper"}), 404, "guest_unknown")
    assert kinds(hers).count("guest_removed") == 1


def _revoke(link: ShareLink) -> None:
    ShareLink.objects.filter(pk=link.pk).update(revoked_at=timezone.now())


def _expire(link: ShareLink) -> None:
    ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())


def _end(link: ShareLink) -> None:
    Session.objects.filter(pk=link.session_id).update(state=SessionState.ENDED.value)


@pytest.mark.parametrize("over", [_revoke, _expire, _end])
def test_a_link_that_is_over(over: object, ann: Person, hers: str, gus: GuestBrowser, address: str) -> None:
    url = make_link(ann, hers, "helper")["url"]
    gus.enter(url)
    guest = f"/sessions/{hers}/guests/{guests_of(ann, hers)[0]['id']}"
    over(ShareLink.objects.get())  # type: ignore[operator]  # one of the three above
    assert_problem(gus.state(hers), 410, "share_link_over")
    assert_problem(gus.post(f"/watch/{hers}/ask"), 410, "share_link_over")
    assert_problem(ann.api.patch(guest, json={"role": "helper"}), 404, "guest_unknown")
    assert_problem(gus.post("/join/look", {"token": token_of(url)}), 410, "share_link_over")
    with guest_browser(gus.site) as other:
        assert_problem(other.enter(url), 410, "share_link_over")
    assert guests_of(ann, hers) == []
    assert ann.api.get(f"/sessions/{hers}/share-links").json()["items"][0]["is_open"] is False
    code, reason = close_code(address, gus.socket_headers(), origin=gus.site.url)
    assert code == 4401
    assert reason
    assert gus.http.get(f"/watch/{hers}").status_code == 410


def test_an_ended_session_gets_no_link(ann: Person, hers: str) -> None:
    Session.objects.update(state=SessionState.ENDED.value)
    assert_problem(ann.api.post(f"/sessions/{hers}/share-links", json={}), 409, "session_not_running")


def test_a_cookie_of_one_session_is_none_of_another(
    ann: Person, hers: str, gus: GuestBrowser, anns: Terminal, site: LiveSite
) -> None:
    gus.enter(make_link(ann, hers)["url"])
    value = gus.http.cookies.get(f"playground_guest_{anns.machine.session_id.hex}")
    session = Session.objects.get()
    session.pk = None
    session.name = "other"
    session._state.adding = True
    session.id = "11111111-1111-4111-8111-111111111111"
    session.save()
    machine = anns.machine
    machine.pk, machine.hostname, machine.session_id = "22222222-2222-4222-8222-222222222222", "c-d", session.pk
    machine._state.adding = True
    machine.save()
    terminal = Terminal.objects.create(machine=machine, name="secret")
    # Under its own name, and under the name that the other session's cookie would have.
    for name in (
        f"playground_guest_{Session.objects.get(name='hers').pk.hex}",
        f"playground_guest_{'1' * 8}11114111811111111111",
    ):
        headers = {"Cookie": f"{name}={value}"}
        other = f"{site.ws_url}/ws/v1/guest/terminals/{terminal.pk}"
        assert close_code(other, headers, origin=site.url)[0] == 4401
    name = f"playground_guest_{session.pk.replace('-', '')}"
    assert (
        close_code(
            f"{site.ws_url}/ws/v1/guest/terminals/{terminal.pk}", {"Cookie": f"{name}={value}"}, origin=site.url
        )[0]
        == 4401
    )
    gus.http.cookies.set(name, str(value))
    assert_problem(gus.state(session.pk), 404, "guest_unknown")


def test_a_guest_opens_nothing_else(ann: Person, hers: str, gus: GuestBrowser, anns: Terminal, site: LiveSite) -> None:
    gus.enter(make_link(ann, hers, "helper")["url"])
    Guest.objects.update(state=GuestState.HELPING.value)
    api = f"/api/v1/sessions/{hers}"
    for path in ("", "/files?path=/etc/passwd", "/files/list?path=/", "/stats", "/recordings", "/terminals", "/guests"):
        assert gus.http.get(api + path).status_code == 401
    for path, body in (
        ("/exec", {"command": "id"}),
        ("/terminals", {}),
        ("/share-links", {}),
        ("/extend", {"ttl_seconds": 9}),
    ):
        assert gus.post(api + path, body).status_code == 401
    assert gus.http.request("DELETE", api).status_code == 401
    assert close_code(f"{site.ws_url}/ws/v1/terminals/{anns.pk}", gus.socket_headers(), origin=site.url)[0] == 4401
    assert close_code(f"{site.ws_url}/ws/v1/events", gus.socket_headers(), origin=site.url)[0] == 4401
    assert gus.http.get(f"/sessions/{hers}").status_code == 302


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_socket_from_a_foreign_page(
    origin: str | None, ann: Person, hers: str, gus: GuestBrowser, address: str
) -> None:
    gus.enter(make_link(ann, hers)["url"])
    assert close_code(address, gus.socket_headers(), origin=origin)[0] == 4403


@pytest.mark.parametrize("terminal", ["nonsense", "00000000-0000-4000-8000-000000000000", "%00"])
def test_strangers_learn_of_no_terminal(terminal: str, site: LiveSite, anns: Terminal, gus: GuestBrowser) -> None:
    headers = {"Cookie": f"playground_guest_{anns.machine.session_id.hex}=x"} if anns.machine.session_id else {}
    base = f"{site.ws_url}/ws/v1/guest/terminals"
    absent = close_code(f"{base}/{terminal}", headers, origin=site.url)
    assert absent[0] == 4401
    assert close_code(f"{base}/{anns.pk}", headers, origin=site.url)[0] == 4401
    there = gus.http.get(f"/watch/{anns.machine.session_id}/state")
    nothing = gus.http.get("/watch/00000000-0000-4000-8000-000000000000/state")
    assert {**there.json(), "request_id": ""} == {**nothing.json(), "request_id": ""}


def test_requests_of_other_sites_pages(ann: Person, hers: str, gus: GuestBrowser) -> None:
    url = make_link(ann, hers, "helper")["url"]
    body = {"token": token_of(url), "name": "Gus"}
    assert gus.http.post("/join/enter", json=body).status_code == 403
    assert gus.post("/join/enter", body, Origin="https://evil.example").status_code == 403
    assert Guest.objects.count() == 0
    gus.enter(url)
    for path in (f"/watch/{hers}/ask", f"/watch/{hers}/leave"):
        assert gus.http.post(path).status_code == 403
        assert gus.post(path, Origin="https://evil.example").status_code == 403
    assert Guest.objects.get().state == GuestState.WATCHING
    assert gus.http.get("/join/enter").status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"token": "x"},
        {"token": 7, "name": "Gus"},
        {"token": "", "name": "Gus"},
        {"token": "x" * 101, "name": "Gus"},
        {"token": "x", "name": "Gus", "role": "helper"},
        {"token": "x", "name": None},
        {"token": "x", "name": "N" * 10_000},
    ],
)
def test_bodies_that_are_none(body: object, site: LiveSite, gus: GuestBrowser) -> None:
    problem = assert_problem(gus.post("/join/enter", body), 422, "invalid_request")
    assert "NNNN" not in json.dumps(problem)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b'{"token": "\\ud83d", "name": "Gus"}', b"[" * 8000, b" " * 9000, b"null"]
)
def test_bodies_that_are_no_json(content: bytes, site: LiveSite, gus: GuestBrowser) -> None:
    headers = {"X-CSRFToken": gus.http.cookies["csrftoken"], "Content-Type": "application/json", "Origin": site.url}
    assert_problem(gus.http.post("/join/enter", content=content, headers=headers), 422, "invalid_request")


@pytest.mark.parametrize("name", ["", " ", "N" * 41, "N" * 7_000, "a\u202eb", "\u200b", "a\x00b", "!!"])
def test_names_that_are_none(name: str, ann: Person, hers: str, gus: GuestBrowser) -> None:
    problem = assert_problem(gus.enter(make_link(ann, hers)["url"], name), 422, "invalid_request")
    assert problem["errors"][0]["field"] == "name"  # type: ignore[index]  # checked by running
    assert Guest.objects.count() == 0


def test_a_name_with_markup_is_text(ann: Person, hers: str, gus: GuestBrowser) -> None:
    name = "</script><img src=x>"
    gus.enter(make_link(ann, hers)["url"], name)
    assert guests_of(ann, hers)[0]["name"] == name
    assert name not in gus.http.get(f"/watch/{hers}").text


@pytest.mark.parametrize("token", ["nonsense", "x" * 100, "\u0000", "%00", "../..", "\U0001f600"])
def test_made_up_tokens(token: str, site: LiveSite, gus: GuestBrowser) -> None:
    assert_problem(gus.post("/join/look", {"token": token}), 404, "share_link_unknown")
    assert_problem(gus.post("/join/enter", {"token": token, "name": "Gus"}), 404, "share_link_unknown")


def test_a_thousand_exchanges(ann: Person, hers: str, gus: GuestBrowser) -> None:
    url = make_link(ann, hers)["url"]
    statuses: list[int] = []
    first_minute = time.time() // WINDOW
    for number in range(1000):
        gus.http.cookies.delete(f"playground_guest_{hers.replace('-', '')}") if number and statuses[-1] == 201 else None
        answer = gus.enter(url, f"Gus {number}")
        statuses.append(answer.status_code)
        if answer.status_code == 429:
            assert answer.json()["code"] in ("too_many_guests", "rate_limited")
            assert int(answer.headers["retry-after"]) >= 1
    assert set(statuses) == {201, 429}
    # Places become free after ten seconds.
    assert statuses.count(201) <= (time.time() // WINDOW - first_minute + 1) * limits.ENTRIES_OF_A_LINK
    assert Guest.objects.count() == statuses.count(201)


def test_at_most_so_many_at_once(ann: Person, hers: str, gus: GuestBrowser) -> None:
    url = make_link(ann, hers)["url"]
    gus.enter(url)
    guest = Guest.objects.get()
    later = timezone.now() + timedelta(minutes=5)
    Guest.objects.bulk_create(
        Guest(session_id=hers, link=guest.link, name="n", digest=str(number), seen_at=later)
        for number in range(limits.GUESTS)
    )
    with guest_browser(gus.site) as other:
        assert_problem(other.enter(url), 429, "too_many_guests")


def test_at_most_so_many_links(ann: Person, hers: str) -> None:
    first = make_link(ann, hers)
    for _ in range(limits.LINKS - 1):
        make_link(ann, hers)
    assert_problem(ann.api.post(f"/sessions/{hers}/share-links", json={}), 409, "too_many_share_links")
    for _ in range(2):
        assert ann.api.delete(f"/sessions/{hers}/share-links/{first['id']}").status_code == 204
    make_link(ann, hers)
    assert kinds(hers).count("share_link_revoked") == 1


def test_at_most_so_many_helpers(ann: Person, hers: str, gus: GuestBrowser) -> None:
    url = make_link(ann, hers, "helper")["url"]
    for number in range(limits.HELPERS + 1):
        with guest_browser(gus.site) as other:
            assert other.enter(url, f"Gus {number}").status_code == 201
    answers = [
        ann.api.patch(f"/sessions/{hers}/guests/{guest['id']}", json={"role": "helper"})
        for guest in guests_of(ann, hers)
    ]
    assert [answer.status_code for answer in answers] == [200] * limits.HELPERS + [409]
    assert_problem(answers[-1], 409, "too_many_helpers")


def test_coming_again_is_the_same_guest_once(ann: Person, hers: str, gus: GuestBrowser) -> None:
    url = make_link(ann, hers)["url"]
    gus.enter(url, "Gus")
    gus.enter(url, "Augustus")
    assert [guest["name"] for guest in guests_of(ann, hers)] == ["Augustus"]
    assert gus.post(f"/watch/{hers}/leave").status_code == 204
    assert guests_of(ann, hers) == []
    assert_problem(gus.state(hers), 404, "guest_unknown")
    assert gus.post(f"/watch/{hers}/leave").status_code == 204


CALLS = [
    ("GET", "/share-links", None),
    ("POST", "/share-links", {}),
    ("DELETE", "/share-links/{link}", None),
    ("GET", "/guests", None),
    ("PATCH", "/guests/{guest}", {"role": "helper"}),
    ("DELETE", "/guests/{guest}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_somebody_elses_session(
    method: str, path: str, body: object, ann: Person, bob: Person, hers: str, gus: GuestBrowser
) -> None:
    link = make_link(ann, hers)
    gus.enter(link["url"])
    guest = Guest.objects.get()
    answer = bob.api.request(method, f"/sessions/{hers}" + path.format(link=link["id"], guest=guest.pk), json=body)
    assert_problem(answer, 404, "session_unknown")
    assert len(guests_of(ann, hers)) == 1
    assert ShareLink.objects.get().revoked_at is None


def test_administrators_take_away_but_do_not_give(ann: Person, bob: Person, hers: str, gus: GuestBrowser) -> None:
    User.objects.filter(pk=bob.user.pk).update(is_staff=True)
    link = make_link(ann, hers, "helper")
    gus.enter(link["url"])
    path = f"/sessions/{hers}/guests/{Guest.objects.get().pk}"
    assert_problem(bob.api.post(f"/sessions/{hers}/share-links", json={}), 403, "owner_only")
    assert_problem(bob.api.patch(path, json={"role": "helper"}), 403, "owner_only")
    ann.api.patch(path, json={"role": "helper"})
    assert bob.api.patch(path, json={"role": "observer"}).json()["role"] == "observer"
    assert bob.api.delete(f"/sessions/{hers}/share-links/{link['id']}").status_code == 204
    assert bob.api.delete(path).status_code == 204
    assert Event.objects.get(kind="share_link_revoked").data["by"] == "bob"


def _signed_in(site: LiveSite, user: User) -> httpx.Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return httpx.Client(base_url=site.url, cookies={site.session_cookie: str(client.session.session_key)}, timeout=60)


def test_administrators_come_in_by_right_and_are_seen(
    ann: Person, bob: Person, hers: str, site: LiveSite, address: str
) -> None:
    with _signed_in(site, bob.user) as http:
        browser = GuestBrowser(http, site)
        assert http.get(f"/sessions/{hers}/watch").status_code == 404
        User.objects.filter(pk=bob.user.pk).update(is_staff=True)
        assert http.get(f"/sessions/{hers}/watch").status_code == 200
        assert Guest.objects.count() == 0
        assert http.post(f"/sessions/{hers}/watch", data={"role": "helper"}).status_code == 403
        token = http.cookies["csrftoken"]
        form = {"role": "helper", "csrfmiddlewaretoken": token}
        answer = http.post(f"/sessions/{hers}/watch", data=form, headers={"Origin": site.url})
        assert (answer.status_code, answer.headers["location"]) == (302, f"/watch/{hers}")
        (guest,) = guests_of(ann, hers)
        assert (guest["name"], guest["role"], guest["is_administrator"]) == ("bob", "helper", True)
        assert Event.objects.get(kind="guest_joined").data["name"] == "bob"
        assert browser.state(hers).json()["visit"]["role"] == "helper"
        User.objects.filter(pk=bob.user.pk).update(is_staff=False)
        assert_problem(browser.state(hers), 403, "guest_removed")
        assert close_code(address, browser.socket_headers(), origin=site.url)[0] == 4401
    assert guests_of(ann, hers) == []


def test_no_secret_is_logged(ann: Person, hers: str, gus: GuestBrowser, address: str) -> None:
    url = make_link(ann, hers)["url"]
    gus.enter(url)
    close_code(address, gus.socket_headers(), origin=gus.site.url)
    gus.post("/join/enter", {"token": token_of(url), "name": "\x00"})
    unknown = uuid.uuid4().hex
    gus.http.get(f"/{unknown}")
    wait_until(lambda: unknown in gus.site.log("web"), "requests are logged")
    log = gus.site.log("web")
    assert token_of(url) not in log
    assert str(gus.http.cookies.get(f"playground_guest_{hers.replace('-', '')}")) not in log
