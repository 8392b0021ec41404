"""Reasons, from what the engine says of a machine."""

import pytest

from playground.sessions.reconcile import why_ended
from playground.sessions.states import Reason
from runtime.engines.base import MachineState, MachineStatus


def exited(code: int, *, oom: bool = False) -> MachineStatus:
    return MachineStatus("0" * 32, MachineState.EXITED, code, oom, {})


@pytest.mark.parametrize(
    ("status", "has_main", "reason"),
    [
        (None, False, Reason.ENGINE_LOST),
        (None, True, Reason.ENGINE_LOST),
        (exited(124), False, Reason.EXPIRED),
        (exited(124), True, Reason.EXPIRED),
        (exited(137, oom=True), True, Reason.OOM),
        (exited(0), True, Reason.EXITED),
        (exited(3), True, Reason.EXITED),
        (exited(137), False, Reason.ENGINE_LOST),
    ],
)
def test_reason(status: MachineStatus | None, has_main: bool, reason: Reason) -> None:
    assert why_ended(status, has_main=has_main)[0] == reason


def test_message_tells_the_status() -> None:
    assert "3" in why_ended(exited(3), has_main=True)[1]
