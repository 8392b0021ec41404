"""Limits that all processes share; each counts for itself while Valkey is away."""

import time
from collections.abc import Callable

import httpx
import redis

from playground.api.rate_limits import PERSON_LIMIT, STRANGER_LIMIT, WINDOW
from tests.support.live_site import LiveSite
from tests.support.people import Person, assert_problem
from tests.support.recordings import wait_until
from tests.support.waiting import WITHIN


def _fill(site: LiveSite, subject: str, used: int, ask: Callable[[], object]) -> None:
    """As if so many requests had come in this minute, through whichever process."""
    window = int(time.time() // WINDOW)
    with redis.Redis(unix_socket_path=str(site.data / "valkey.sock")) as valkey:
        # After a Valkey was away, the site asks it again a few seconds later.
        until = time.monotonic() + 20
        while not valkey.exists(f"rate:{subject}:{int(time.time() // WINDOW)}"):
            assert time.monotonic() < until, "the site does not count in Valkey"
            ask()
        for at in (window, window + 1):
            valkey.set(f"rate:{subject}:{at}", used, ex=2 * WINDOW)


def _refused(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer that is one. A site that had to wait for Valkey counts by itself for a few seconds."""
    answers: list[httpx.Response] = []

    def is_refused() -> bool:
        answers.append(ask())
        return answers[-1].status_code == 429

    wait_until(is_refused, "too much is refused")
    return answers[-1]


def test_a_person_who_asks_too_often(site: LiveSite, ann: Person, bob: Person) -> None:
    _fill(site, f"person:{ann.user.pk}", PERSON_LIMIT, lambda: ann.api.get("/me", timeout=WITHIN))
    answer = _refused(lambda: ann.api.get("/me", timeout=WITHIN))
    problem = assert_problem(answer, 429, "rate_limited")
    assert problem["retryable"] is True
    assert 1 <= int(answer.headers["retry-after"]) <= WINDOW
    assert answer.headers["ratelimit-remaining"] == "0"
    assert bob.api.get("/me", timeout=WITHIN).status_code == 200


def test_strangers_who_try_keys(site: LiveSite) -> None:
    def ask() -> httpx.Response:
        return httpx.get(f"{site.url}/api/v1/me", timeout=WITHIN)

    _fill(site, "address:127.0.0.1", STRANGER_LIMIT, ask)
    try:
        assert_problem(_refused(ask), 429, "rate_limited")
    finally:
        _fill(site, "address:127.0.0.1", 0, ask)


def test_the_number_of_those_left_falls(ann: Person) -> None:
    def falls() -> bool:
        first, second = (ann.api.get("/me", timeout=WITHIN).headers for _ in range(2))
        assert first["ratelimit-limit"] == str(PERSON_LIMIT)
        return int(second["ratelimit-remaining"]) == int(first["ratelimit-remaining"]) - 1

    # Not from one minute to the next, nor when the site begins to count elsewhere.
    wait_until(falls, "one less is left")
