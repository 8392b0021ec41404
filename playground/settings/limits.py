"""What one person may do unless their account says otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonLimits:
    concurrent_sessions: int
    sessions_per_day: int
    sessions_per_minute: int
    cpu_seconds_per_day: int = 6 * 3600
    """Seconds of one core, over all sessions, in 24 hours."""
    egress_bytes_per_day: int = 10 << 30
    """Sent by all sessions in 24 hours."""


PERSON_LIMITS = PersonLimits(concurrent_sessions=5, sessions_per_day=200, sessions_per_minute=20)
