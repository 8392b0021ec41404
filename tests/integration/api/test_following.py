"""What happens to a session, as its owner's programs hear it: all of it, once, in order, until its end."""

import time
import uuid
from contextlib import ExitStack

import httpx
import pytest

from playground.accounts.keys import revoke_key
from playground.sessions.connections import MOST_OF_A_PERSON
from playground.sessions.ending import force_end
from playground.sessions.listening import LOOK_SECONDS
from playground.sessions.models import Event, Session, Terminal
from tests.support.event_stream import ACCEPT, WITHIN, EventStream, followed
from tests.support.live_site import LiveSite
from tests.support.people import Person, assert_problem

KINDS = [f"kind{number}" for number in range(5)]


@pytest.fixture
def session(anns: Terminal) -> Session:
    """With five events so far."""
    session = anns.machine.session
    assert session is not None
    for kind in KINDS:
        Event.objects.create(session=session, kind=kind)
    return session


@pytest.fixture
def path(session: Session) -> str:
    """Of its history."""
    return f"/sessions/{session.pk}/events"


def test_what_was_then_what_happens_until_the_end(ann: Person, session: Session, path: str) -> None:
    with followed(ann.api, path) as stream:
        assert [stream.next()["kind"] for _ in KINDS] == KINDS  # type: ignore[index]  # else it has ended
        _rename(ann, session, stream)
        since = time.monotonic()
        for _ in range(4):
            _rename(ann, session, stream)
        # By looking alone it would take more than three looks, from one to the next.
        assert time.monotonic() - since < 2 * LOOK_SECONDS, "it was not told, it looked"
        assert force_end(session.pk)
        last = stream.rest()
    assert last[-1]["kind"] == "ended"
    pages = ann.api.get(path, params={"limit": 100}).json()["items"]
    with followed(ann.api, path) as again:
        assert again.rest() == pages
    assert pages[-1] == last[-1]


def _rename(ann: Person, session: Session, stream: EventStream) -> None:
    ann.api.patch(f"/sessions/{session.pk}", json={"name": f"name {uuid.uuid4()}"}).raise_for_status()
    event = stream.next()
    assert event is not None
    assert (event["kind"], event["data"]) == ("changed", {"fields": ["name"]})


@pytest.mark.parametrize("by", ["header", "query"])
def test_it_resumes_behind_the_last_event(ann: Person, session: Session, path: str, by: str) -> None:
    items = ann.api.get(path).json()["items"]
    seen = items[2]["sequence"]
    address, last = (path, seen) if by == "header" else (f"{path}?cursor={seen}", None)
    with followed(ann.api, address, last) as stream:
        assert [stream.next(), stream.next()] == items[3:]
        assert force_end(session.pk)
        ended = stream.rest()[-1]
    assert ended["kind"] == "ended"
    over = ann.api.get(path, headers={**ACCEPT, "Last-Event-ID": str(ended["sequence"])})
    assert (over.status_code, over.content) == (204, b"")


@pytest.mark.parametrize("last", ["-1", "x", "", "9" * 19, "1" * 300])
def test_an_id_that_no_event_has(ann: Person, path: str, last: str) -> None:
    refused = ann.api.get(path, headers={**ACCEPT, "Last-Event-ID": last})
    assert_problem(refused, 404, "invalid_cursor")


def test_more_than_is_read_at_a_time(ann: Person, session: Session, path: str) -> None:
    Event.objects.bulk_create(Event(session=session, kind="many") for _ in range(450))
    assert force_end(session.pk)
    with followed(ann.api, path) as stream:
        sequences = [event["sequence"] for event in stream.rest()]
    assert sequences == list(Event.objects.filter(session=session).values_list("pk", flat=True))


def test_somebody_elses_and_no_session(ann: Person, bob: Person, path: str) -> None:
    assert_problem(bob.api.get(path, headers=ACCEPT), 404, "session_unknown")
    assert_problem(ann.api.get(f"/sessions/{uuid.uuid4()}/events", headers=ACCEPT), 404, "session_unknown")


def test_it_says_that_it_lives(ann: Person, session: Session, path: str) -> None:
    last = Event.objects.filter(session=session).latest("pk").pk
    with followed(ann.api, path, last) as stream:
        stream.heartbeat()


def test_it_ends_with_the_right(ann: Person, session: Session, path: str) -> None:
    last = Event.objects.filter(session=session).latest("pk").pk
    with followed(ann.api, path, last) as stream:
        assert revoke_key(ann.user, ann.key_row.pk)
        assert stream.rest() == []
    assert Session.objects.get(pk=session.pk).state == "running"
    assert_problem(ann.api.get(path, headers=ACCEPT), 401, "not_authenticated")


def test_it_ends_with_the_row(ann: Person, session: Session, path: str) -> None:
    last = Event.objects.filter(session=session).latest("pk").pk
    with followed(ann.api, path, last) as stream:
        session.machines.all().delete()
        session.delete()
        assert stream.rest() == []


def test_while_valkey_is_away(site: LiveSite, ann: Person, session: Session, path: str) -> None:
    site.kill("valkey")
    try:
        last = Event.objects.filter(session=session).latest("pk").pk
        with followed(ann.api, path, last) as stream:
            ann.api.patch(f"/sessions/{session.pk}", json={"name": "other"}).raise_for_status()
            event = stream.next()
            assert event is not None
            assert event["kind"] == "changed"
    finally:
        site.start("valkey")


def test_how_many_one_person_has(site: LiveSite, ann: Person, bob: Person, session: Session, path: str) -> None:
    limits = httpx.Limits(max_connections=None)
    headers = {"Authorization": f"Bearer {ann.key}"}
    with httpx.Client(base_url=f"{site.url}/api/v1", headers=headers, limits=limits, timeout=WITHIN) as client:
        with ExitStack() as streams:
            # Kept: one that nobody holds any more is closed.
            held = [streams.enter_context(followed(client, path)) for _ in range(MOST_OF_A_PERSON)]
            assert all(stream.next() is not None for stream in held)
            assert_problem(client.get(path, headers=ACCEPT), 429, "too_many_streams")
            assert client.get(path).status_code == 200, "pages are no streams"
            assert bob.api.get("/sessions").status_code == 200
        until = time.monotonic() + WITHIN
        while (again := _status(client, path)) == 429:
            assert time.monotonic() < until, "streams that were left are still counted"
            time.sleep(0.05)
        assert again == 200


def _status(client: httpx.Client, path: str) -> int:
    with client.stream("GET", path, headers=ACCEPT) as answer:
        return answer.status_code
