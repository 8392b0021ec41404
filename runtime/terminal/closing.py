"""Why a terminal socket was closed: the codes that clients rely on, each with what to do about it."""

from enum import IntEnum


class CloseCode(IntEnum):
    COME_BACK = 1012
    """The server restarts, or lost the machine for a moment: connect again, with `offset`."""
    BROKEN = 1011
    """The machine does not keep to the protocol. Connecting again may help, and harms nobody."""
    DONE = 1000
    """The terminal's process has ended; EXIT said how."""
    PROTOCOL_ERROR = 4400
    NOT_AUTHENTICATED = 4401
    FORBIDDEN = 4403
    """Not yours, a foreign Origin, or typing as an observer."""
    UNKNOWN = 4404
    NOT_RUNNING = 4409
    """The session is starting, or paused."""
    ENDED = 4410
    TOO_MANY = 4429


def short(text: str) -> str:
    """At most 120 bytes: a close frame holds 123."""
    return text.encode()[:120].decode(errors="ignore")
