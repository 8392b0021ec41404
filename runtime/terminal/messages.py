"""Messages of the browser's terminal socket, `playground.terminal.v1`, without any I/O.

A message's first byte is its type; INPUT, RESIZE, ACK, INPUT_AT, OUTPUT, INPUT_ACK and RESTORE are the same
bytes as in sandboxd's protocol. HELLO, EXIT and NOTICE carry JSON.
"""

import json
from enum import IntEnum, StrEnum

from runtime.terminal.frames import MAX_DATA, MAX_SIDE

SUBPROTOCOL = "playground.terminal.v1"


class MessageType(IntEnum):
    INPUT = 0x00
    RESIZE = 0x01
    ACK = 0x02
    INPUT_AT = 0x03
    HELLO = 0x80
    OUTPUT = 0x81
    EXIT = 0x82
    NOTICE = 0x83
    INPUT_ACK = 0x84
    RESTORE = 0x85


class Role(StrEnum):
    CONTROL = "control"
    OBSERVE = "observe"


class BadMessage(ValueError):
    """The client does not keep to the protocol; the text says how."""


def check_message(body: bytes) -> int:
    """The type of a client's message, when sandboxd may have it as it is. Raises BadMessage."""
    if not body:
        raise BadMessage("Messages are binary, one byte at least.")
    kind, size = body[0], len(body) - 1
    if kind == MessageType.INPUT:
        if not 1 <= size <= MAX_DATA:
            raise BadMessage("INPUT is 1 to 65,536 bytes.")
    elif kind == MessageType.INPUT_AT:
        if not 9 <= size <= MAX_DATA + 8:
            raise BadMessage("INPUT_AT is an offset and 1 to 65,536 bytes.")
    elif kind == MessageType.ACK:
        if size != 8:
            raise BadMessage("ACK is one offset.")
    elif kind == MessageType.RESIZE:
        _check_size(body)
    else:
        raise BadMessage("There is no message of that type.")
    return kind


def _check_size(body: bytes) -> None:
    sides = (int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big"))
    if len(body) != 5 or not all(1 <= side <= MAX_SIDE for side in sides):
        raise BadMessage("A terminal is 1 x 1 to 1000 x 1000.")


def ack_offset(body: bytes) -> int:
    """Of an ACK that was checked."""
    return int.from_bytes(body[1:9], "big")


def encode_json(kind: MessageType, content: dict[str, object]) -> bytes:
    """HELLO, EXIT or NOTICE."""
    return bytes((kind,)) + json.dumps(content, separators=(",", ":")).encode()


def notice(kind: str, **content: object) -> bytes:
    """NOTICE: `gap`, `resized`, `ended` and others; a client ignores those that it does not know."""
    return encode_json(MessageType.NOTICE, {"type": kind, **content})
