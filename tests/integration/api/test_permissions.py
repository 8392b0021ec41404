"""What is somebody else's answers as what is not there."""

import pytest

from playground.images.models import Image
from playground.sessions.models import Profile, Session, Terminal
from playground.sessions.states import SessionState
from tests.support.people import Person, assert_problem

CALLS: list[tuple[str, str, object]] = [
    ("GET", "/sessions/{s}", None),
    ("PATCH", "/sessions/{s}", {"name": "mine now"}),
    ("DELETE", "/sessions/{s}", None),
    ("POST", "/sessions/{s}/extend", {"ttl_seconds": 60}),
    ("POST", "/sessions/{s}/pause", None),
    ("POST", "/sessions/{s}/resume", None),
    ("POST", "/sessions/{s}/again", None),
    ("GET", "/sessions/{s}/stats", None),
    ("POST", "/sessions/{s}/exec", {"command": "id"}),
    ("GET", "/sessions/{s}/files?path=/etc/passwd", None),
    ("PUT", "/sessions/{s}/files?path=/tmp/x", None),
    ("DELETE", "/sessions/{s}/files?path=/tmp/x", None),
    ("GET", "/sessions/{s}/files/list?path=/", None),
    ("GET", "/sessions/{s}/terminals", None),
    ("POST", "/sessions/{s}/terminals", {}),
    ("DELETE", "/sessions/{s}/terminals/{t}", None),
    ("GET", "/sessions/{s}/terminals/{t}", None),
    ("PATCH", "/sessions/{s}/terminals/{t}", {"name": "mine now"}),
    ("GET", "/sessions/{s}/terminals/{t}/process", None),
    ("POST", "/sessions/{s}/terminals/{t}/ticket", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
@pytest.mark.parametrize("staff", [False, True])
def test_somebody_elses_session(anns: Terminal, bob: Person, method: str, path: str, body: object, staff: bool) -> None:
    bob.user.is_staff = bob.user.is_superuser = staff
    bob.user.save()
    session = anns.machine.session
    assert session is not None
    answer = bob.api.request(method, path.format(s=session.pk, t=anns.pk), json=body)
    theirs = assert_problem(answer, 404, answer.json()["code"])
    absent = "00000000-0000-4000-8000-000000000000"
    nothing = bob.api.request(method, path.format(s=absent, t=absent), json=body).json()
    for problem in (theirs, nothing):
        problem.pop("request_id")
    assert theirs == nothing
    session.refresh_from_db()
    assert (session.name, session.state) == ("hers", SessionState.RUNNING)


def test_a_terminal_is_found_beneath_its_own_session_only(
    anns: Terminal, ann: Person, image: Image, profile: Profile
) -> None:
    other = Session.objects.create(
        owner=ann.user, name="other", image=image, profile=profile, lifetime_seconds=60, idle_seconds=60
    )
    assert_problem(ann.api.get(f"/sessions/{other.pk}/terminals/{anns.pk}"), 404, "terminal_unknown")


def test_lists_hold_ones_own_only(anns: Terminal, ann: Person, bob: Person) -> None:
    assert len(ann.api.get("/sessions").json()["items"]) == 1
    assert bob.api.get("/sessions").json()["items"] == []


def test_ending_twice_is_204(anns: Terminal, ann: Person) -> None:
    session = anns.machine.session
    assert session is not None
    for _ in range(2):
        answer = ann.api.delete(f"/sessions/{session.pk}")
        assert (answer.status_code, answer.content) == (204, b"")
    session.refresh_from_db()
    assert (session.state, session.reason) == ("stopping", "user")


def test_administrators_see_details_of_the_host(ann: Person, bob: Person) -> None:
    bob.user.is_staff = True
    bob.user.save()
    assert ann.api.get("/me").json()["is_administrator"] is False
    assert bob.api.get("/me").json()["is_administrator"] is True
