"""When people are warned of an end, and in which words."""

from datetime import UTC, datetime, timedelta

import pytest

from playground.sessions.expiring import Expiry, standing
from playground.sessions.models import Session
from playground.sessions.states import Reason, SessionState
from playground.words import duration

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def session(state: SessionState = SessionState.RUNNING, lifetime: timedelta = HOUR, idle: int = 1800) -> Session:
    """Started and used at noon."""
    return Session(state=state, started_at=NOON, expires_at=NOON + lifetime, last_activity_at=NOON, idle_seconds=idle)


def due(session: Session, seconds: float) -> list[tuple[Reason, int]]:
    """Of what is warned so long after noon."""
    return [(expiry.reason, expiry.stage) for expiry in standing(session, NOON + timedelta(seconds=seconds))]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, []),
        (1679, []),
        (1680, [(Reason.IDLE, 0)]),
        (1799, [(Reason.IDLE, 0)]),
        (1800, []),
        (3299, []),
        (3300, [(Reason.EXPIRED, 0)]),
        (3539, [(Reason.EXPIRED, 0)]),
        (3540, [(Reason.EXPIRED, 1)]),
        (3599, [(Reason.EXPIRED, 1)]),
        (3600, []),
    ],
)
def test_an_hour(seconds: float, expected: list[tuple[Reason, int]]) -> None:
    assert due(session(), seconds) == expected


def test_a_short_session_is_not_warned_from_its_first_moment_on() -> None:
    short = session(lifetime=timedelta(seconds=40), idle=20)
    found = [due(short, seconds) for seconds in range(0, 41, 5)]
    idle, first, last = (Reason.IDLE, 0), (Reason.EXPIRED, 0), (Reason.EXPIRED, 1)
    assert found == [[], [], [idle], [idle], [first], [first], [last], [last], []]


def test_a_paused_session_is_not_idle() -> None:
    paused = session(SessionState.PAUSED)
    assert due(paused, 1700) == []
    assert due(paused, 3540) == [(Reason.EXPIRED, 1)]


@pytest.mark.parametrize("state", set(SessionState) - {SessionState.RUNNING, SessionState.PAUSED})
def test_nobody_is_warned_of_the_end_of_what_does_not_run(state: SessionState) -> None:
    assert due(session(state), 3590) == []


def test_each_warning_has_a_name_of_its_own() -> None:
    at = NOON + HOUR
    expiries = [Expiry(Reason.EXPIRED, at, 0), Expiry(Reason.EXPIRED, at, 1), Expiry(Reason.EXPIRED, at + HOUR, 0)]
    assert len({expiry.token for expiry in expiries}) == 3
    assert all(len(expiry.token) <= 40 for expiry in expiries)


def test_the_words() -> None:
    told = Expiry(Reason.EXPIRED, NOON + HOUR, 0).told(NOON + timedelta(minutes=55))
    assert told == {
        "reason": "expired",
        "at": "2026-01-01T13:00:00.000Z",
        "seconds": 300,
        "message": "This session ends in 5 minutes. Extend gives it more time.",
    }
    idle = Expiry(Reason.IDLE, NOON, 0).told(NOON - timedelta(seconds=118))
    assert str(idle["message"]).startswith("This session ends in 1 minute 58 seconds. Nothing was typed")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 seconds"), (0.4, "0 seconds"), (1, "1 second"), (75, "1 minute 15 seconds"), (7200, "2 hours")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
