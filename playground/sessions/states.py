"""The states of a session and of a machine, and the only moves between them. Pure: no database, no clock."""

from enum import StrEnum


class SessionState(StrEnum):
    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    ENDED = "ended"


class RecordingRule(StrEnum):
    """Whether sessions of a profile are recorded."""

    ALWAYS = "always"
    ON_REQUEST = "on_request"
    """When whoever creates the session says so."""
    NEVER = "never"


class Reason(StrEnum):
    """Why a session ended."""

    USER = "user"
    EXPIRED = "expired"
    IDLE = "idle"
    QUOTA_CPU = "quota_cpu"
    QUOTA_DISK = "quota_disk"
    QUOTA_NETWORK = "quota_network"
    OOM = "oom"
    EXITED = "exited"
    FAILED = "failed"
    ENGINE_LOST = "engine_lost"
    ADMIN = "admin"


class MachineState(StrEnum):
    CREATING = "creating"
    READY = "ready"
    REMOVING = "removing"
    REMOVED = "removed"


SESSION_MOVES: dict[SessionState, frozenset[SessionState]] = {
    SessionState.PENDING: frozenset({SessionState.STARTING, SessionState.RUNNING, SessionState.STOPPING}),
    SessionState.STARTING: frozenset({SessionState.RUNNING, SessionState.STOPPING}),
    SessionState.RUNNING: frozenset({SessionState.PAUSED, SessionState.STOPPING}),
    SessionState.PAUSED: frozenset({SessionState.RUNNING, SessionState.STOPPING}),
    SessionState.STOPPING: frozenset({SessionState.ENDED}),
    SessionState.ENDED: frozenset(),
}

MACHINE_MOVES: dict[MachineState, frozenset[MachineState]] = {
    MachineState.CREATING: frozenset({MachineState.READY, MachineState.REMOVING}),
    MachineState.READY: frozenset({MachineState.REMOVING}),
    MachineState.REMOVING: frozenset({MachineState.REMOVED}),
    MachineState.REMOVED: frozenset(),
}

UNSTARTED = frozenset({SessionState.PENDING, SessionState.STARTING})
STARTED = frozenset({SessionState.RUNNING, SessionState.PAUSED})
"""Their machines are in use."""
ALIVE = UNSTARTED | STARTED
"""Sessions that somebody holds: they count against their owner's limit."""


def sources(target: SessionState) -> frozenset[SessionState]:
    """The states from which a session may move to `target`."""
    return frozenset(state for state, targets in SESSION_MOVES.items() if target in targets)


def machine_sources(target: MachineState) -> frozenset[MachineState]:
    """The states from which a machine may move to `target`."""
    return frozenset(state for state, targets in MACHINE_MOVES.items() if target in targets)
