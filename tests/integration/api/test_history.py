"""What happened to a session, as its owner's programs read it: in pages, and by nobody else."""

import uuid

import pytest
from django.contrib.auth import get_user_model

from playground.sessions.models import Event, Terminal
from tests.support.people import Person, assert_problem

KINDS = [f"kind{number}" for number in range(5)]


@pytest.fixture
def path(anns: Terminal) -> str:
    """Of a history with five events."""
    for number, kind in enumerate(KINDS):
        Event.objects.create(session=anns.machine.session, kind=kind, data={"number": number})
    return f"/sessions/{anns.machine.session_id}/events"


def test_it_is_read_in_pages(ann: Person, path: str) -> None:
    whole = ann.api.get(path).raise_for_status().json()
    assert [(item["kind"], item["data"]) for item in whole["items"]] == [
        (kind, {"number": number}) for number, kind in enumerate(KINDS)
    ]
    assert whole["next_cursor"] is None
    sequences = [item["sequence"] for item in whole["items"]]
    assert sequences == sorted(sequences)
    assert whole["items"][0]["at"].endswith("Z")
    pages, cursor = [], None
    while cursor is not None or not pages:
        asked = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = ann.api.get(path, params=asked).raise_for_status().json()
        pages.append([item["kind"] for item in page["items"]])
        cursor = page["next_cursor"]
    assert pages == [KINDS[:2], KINDS[2:4], KINDS[4:]]


@pytest.mark.parametrize("cursor", ["-1", "1.5", "x", "", "٣", "9" * 19])
def test_what_no_list_gave_out_is_refused(ann: Person, path: str, cursor: str) -> None:
    answer = ann.api.get(path, params={"cursor": cursor})
    assert_problem(answer, 404, "invalid_cursor")


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_pages_have_a_size(ann: Person, path: str, limit: str) -> None:
    assert ann.api.get(path, params={"limit": limit}).status_code == 422


def test_it_is_its_owners_alone(ann: Person, bob: Person, path: str) -> None:
    get_user_model().objects.filter(pk=bob.user.pk).update(is_staff=True)
    absent = ann.api.get(f"/sessions/{uuid.uuid4()}/events")
    assert_problem(absent, 404, "session_unknown")
    assert_problem(bob.api.get(path), 404, "session_unknown")
