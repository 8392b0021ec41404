"""Every pair of states: only what the table allows is a move."""

import itertools

import pytest

from playground.sessions.states import (
    ALIVE,
    MACHINE_MOVES,
    SESSION_MOVES,
    MachineState,
    SessionState,
    machine_sources,
    sources,
)

# Written once more by hand: a slip in the table does not go unnoticed.
ALLOWED = {
    ("pending", "starting"),
    ("pending", "running"),
    ("pending", "stopping"),
    ("starting", "running"),
    ("starting", "stopping"),
    ("running", "paused"),
    ("running", "stopping"),
    ("paused", "running"),
    ("paused", "stopping"),
    ("stopping", "ended"),
}
MACHINES_ALLOWED = {
    ("creating", "ready"),
    ("creating", "removing"),
    ("ready", "removing"),
    ("removing", "removed"),
}


@pytest.mark.parametrize(("source", "target"), list(itertools.product(SessionState, SessionState)))
def test_session_moves(source: SessionState, target: SessionState) -> None:
    allowed = (source.value, target.value) in ALLOWED
    assert (target in SESSION_MOVES[source]) is allowed
    assert (source in sources(target)) is allowed


@pytest.mark.parametrize(("source", "target"), list(itertools.product(MachineState, MachineState)))
def test_machine_moves(source: MachineState, target: MachineState) -> None:
    allowed = (source.value, target.value) in MACHINES_ALLOWED
    assert (target in MACHINE_MOVES[source]) is allowed
    assert (source in machine_sources(target)) is allowed


def test_every_living_session_can_be_ended() -> None:
    assert {state for state in SessionState if SessionState.STOPPING in SESSION_MOVES[state]} == ALIVE
    assert not SESSION_MOVES[SessionState.ENDED]
