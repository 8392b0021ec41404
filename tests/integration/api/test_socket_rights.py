"""Who gets a terminal's socket, and which code says why not."""

import uuid

import httpx
import pytest

from playground.accounts.keys import revoke_key
from playground.sessions.models import Session, Terminal
from playground.sessions.states import SessionState
from tests.support.live_site import LiveSite
from tests.support.people import Person, assert_problem
from tests.support.recordings import wait_until
from tests.support.sockets import close_code
from tests.support.waiting import WITHIN


@pytest.fixture
def address(site: LiveSite, anns: Terminal) -> str:
    """Of ann's terminal."""
    return f"{site.ws_url}/ws/v1/terminals/{anns.pk}"


def bearer(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.key}"}


def test_unknown_addresses(site: LiveSite) -> None:
    assert close_code(f"{site.ws_url}/ws/v2/nothing")[0] == 4404
    assert close_code(f"{site.ws_url}/")[0] == 4404


def test_nobody(address: str, ann: Person, site: LiveSite) -> None:
    assert close_code(address)[0] == 4401
    assert close_code(address, {"Authorization": "Bearer pg_000000000000_" + "0" * 64})[0] == 4401
    assert close_code(address, {"Cookie": f"{site.session_cookie}=nonsense"}, origin=site.url)[0] == 4401


def test_somebody_else(address: str, bob: Person) -> None:
    assert close_code(address, bearer(bob))[0] == 4404


@pytest.mark.parametrize("terminal", ["nonsense", str(uuid.uuid4()), "%00", "a" * 2000])
def test_terminals_that_are_not_there(site: LiveSite, ann: Person, terminal: str) -> None:
    assert close_code(f"{site.ws_url}/ws/v1/terminals/{terminal}", bearer(ann))[0] == 4404


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1"])
def test_a_cookie_from_a_foreign_page(address: str, site: LiveSite, ann_cookie: str, origin: str | None) -> None:
    code, _ = close_code(address, {"Cookie": f"{site.session_cookie}={ann_cookie}"}, origin=origin)
    assert code == 4403


@pytest.mark.parametrize(
    "query",
    [
        "offset=-1",
        "offset=x",
        "cols=0&rows=0",
        "cols=80",
        "cols=1001&rows=1",
        "client=-1",
        "role=root",
        "x=1",
        "cols=1&cols=2",
        "offset=1e3",
    ],
)
def test_queries_that_are_wrong(address: str, ann: Person, query: str) -> None:
    assert close_code(f"{address}?{query}", bearer(ann))[0] == 4400


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (SessionState.PENDING, 4409),
        (SessionState.STARTING, 4409),
        (SessionState.STOPPING, 4410),
        (SessionState.ENDED, 4410),
    ],
)
def test_sessions_that_do_not_run(address: str, ann: Person, state: SessionState, code: int) -> None:
    Session.objects.update(state=state.value, message="why " * 100)
    assert close_code(address, bearer(ann))[0] == code


def test_a_ticket_is_good_once(address: str, ann: Person, anns: Terminal) -> None:
    path = f"/sessions/{anns.machine.session_id}/terminals/{anns.pk}/ticket"
    ticket = ann.api.post(path).json()
    assert ticket["expires_in"] == 30
    assert ticket["url"].startswith(address)
    assert close_code(ticket["url"])[0] != 4401
    assert close_code(ticket["url"])[0] == 4401


def test_no_ticket_is_logged(site: LiveSite, ann: Person, anns: Terminal) -> None:
    ticket = ann.api.post(f"/sessions/{anns.machine.session_id}/terminals/{anns.pk}/ticket").json()
    close_code(ticket["url"])
    # The last line is of a request that came after the socket.
    unknown = uuid.uuid4().hex
    httpx.get(f"{site.url}/{unknown}", timeout=WITHIN)
    wait_until(lambda: unknown in site.log("web"), "requests are logged")
    log = site.log("web")
    assert ticket["ticket"] not in log


def test_a_ticket_is_for_one_terminal(site: LiveSite, ann: Person, anns: Terminal) -> None:
    other = Terminal.objects.create(machine=anns.machine, name="other")
    ticket = ann.api.post(f"/sessions/{anns.machine.session_id}/terminals/{anns.pk}/ticket").json()["ticket"]
    assert close_code(f"{site.ws_url}/ws/v1/terminals/{other.pk}?ticket={ticket}")[0] == 4401


def test_a_ticket_of_a_revoked_key(address: str, ann: Person, anns: Terminal) -> None:
    url = ann.api.post(f"/sessions/{anns.machine.session_id}/terminals/{anns.pk}/ticket").json()["url"]
    assert revoke_key(ann.user, ann.key_row.pk)
    assert close_code(url)[0] == 4401


def test_stale_and_made_up_tickets(address: str) -> None:
    for ticket in ("", "nonsense", "x" * 5000, "%00"):
        assert close_code(f"{address}?ticket={ticket}")[0] == 4401


def test_no_ticket_for_what_does_not_run(ann: Person, anns: Terminal) -> None:
    Session.objects.update(state=SessionState.PENDING.value)
    answer = ann.api.post(f"/sessions/{anns.machine.session_id}/terminals/{anns.pk}/ticket")
    assert_problem(answer, 409, "session_not_running")
