"""Idempotency-Key: the same answer for the same request, whoever races and whatever was killed."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from django.db import transaction
from django.utils import timezone

from playground.api import idempotency
from playground.api.models import KeptAnswer
from playground.sessions import services
from playground.sessions.models import Session
from playground.sessions.requests import SessionRequest
from playground.sessions.states import Reason
from tests.support.people import Person, assert_problem

PATH = "/api/v1/sessions"
BODY = b'{"image": "debian", "name": "once"}'
JSON = {"Content-Type": "application/json"}

pytestmark = pytest.mark.usefixtures("image", "profile")


def _post(person: Person, key: str, body: bytes = BODY) -> httpx.Response:
    return person.api.post("/sessions", content=body, headers={**JSON, "Idempotency-Key": key})


def test_the_same_key_and_body_answer_the_same(ann: Person) -> None:
    first, second = _post(ann, "k1"), _post(ann, "k1")
    assert first.status_code in (201, 202)
    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["idempotency-replayed"] == "true"
    assert Session.objects.count() == 1


def test_the_same_key_with_another_body(ann: Person) -> None:
    _post(ann, "k1")
    assert_problem(_post(ann, "k1", b'{"image": "debian"}'), 422, "idempotency_key_reused")
    assert Session.objects.count() == 1


def test_the_same_key_at_another_address(ann: Person) -> None:
    session = _post(ann, "k1").json()
    path = f"/sessions/{session['id']}/extend"
    answer = ann.api.post(path, content=BODY, headers={**JSON, "Idempotency-Key": "k1"})
    assert_problem(answer, 422, "idempotency_key_reused")


def test_keys_are_each_persons_own(ann: Person, bob: Person) -> None:
    assert _post(ann, "k1").json()["id"] != _post(bob, "k1").json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_keys_that_are_none(ann: Person, key: str) -> None:
    assert_problem(_post(ann, key), 422, "idempotency_key_invalid")
    assert Session.objects.count() == 0


def test_a_refused_request_may_be_tried_again(ann: Person) -> None:
    ann.user.max_concurrent_sessions = 0
    ann.user.save()
    assert_problem(_post(ann, "k1"), 429, "quota_exceeded")
    ann.user.max_concurrent_sessions = 1
    ann.user.save()
    assert _post(ann, "k1").status_code in (201, 202)
    assert Session.objects.count() == 1


def test_many_at_once_make_one(ann: Person) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: _post(ann, "race"), range(12)))
    made = {answer.json()["id"] for answer in answers if answer.status_code in (201, 202)}
    for answer in answers:
        if answer.status_code not in (201, 202):
            assert assert_problem(answer, 409, "idempotency_in_progress")["retryable"] is True
            assert answer.headers["retry-after"] == "1"
    assert len(made) == 1
    assert Session.objects.count() == 1
    assert _post(ann, "race").json()["id"] in made


def test_a_crash_before_the_answer_finds_the_session_again(ann: Person) -> None:
    with transaction.atomic():
        attempt = idempotency.begin(ann.user, "crash", method="POST", path=PATH, body=BODY)
        attempt.claim()
        session = services.create(ann.user, SessionRequest(image="debian", name="once"))
        attempt.bind(session.pk)
    answer = _post(ann, "crash")
    assert answer.json()["id"] == str(session.pk)
    assert _post(ann, "crash").json() == answer.json()
    assert Session.objects.count() == 1


def test_a_crash_before_the_commit_leaves_the_key_free(ann: Person) -> None:
    class Crash(Exception):
        pass

    def crash() -> None:
        with transaction.atomic():
            attempt = idempotency.begin(ann.user, "crash", method="POST", path=PATH, body=BODY)
            attempt.claim()
            attempt.bind(services.create(ann.user, SessionRequest(image="debian", name="once")).pk)
            raise Crash

    with pytest.raises(Crash):
        crash()
    assert _post(ann, "crash").status_code in (201, 202)
    assert Session.objects.count() == 1


def test_what_was_interrupted_is_not_run_twice(ann: Person) -> None:
    session = _post(ann, "k1").json()
    path, body = f"{PATH}/{session['id']}/exec", b'{"command": "true"}'
    attempt = idempotency.begin(ann.user, "lost", method="POST", path=path, body=body)
    attempt.claim()
    headers = {**JSON, "Idempotency-Key": "lost"}
    assert_problem(ann.api.post(path[7:], content=body, headers=headers), 409, "idempotency_in_progress")
    KeptAnswer.objects.update(created_at=timezone.now() - idempotency.LONGEST_REQUEST)
    problem = assert_problem(ann.api.post(path[7:], content=body, headers=headers), 409, "idempotency_interrupted")
    assert problem["retryable"] is False


def test_keys_are_forgotten_after_a_day(ann: Person) -> None:
    first = _post(ann, "k1").json()["id"]
    services.stop(Session.objects.get(pk=first), Reason.USER)
    KeptAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert _post(ann, "k1", b'{"image": "debian"}').json()["id"] != first
    KeptAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert idempotency.forget_expired() == 1


def test_nothing_readable_is_kept(ann: Person) -> None:
    secret = "very-secret-value"
    body = json.dumps({"image": "debian", "metadata": {"a": secret}}).encode()
    assert _post(ann, "my-idempotency-key", body).json()["metadata"] == {"a": secret}
    kept = KeptAnswer.objects.get()
    everything = repr([kept.key_digest, kept.request_digest, bytes(kept.answer)])
    assert secret not in everything
    assert "my-idempotency-key" not in everything
