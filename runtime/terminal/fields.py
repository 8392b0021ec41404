"""Fields: how requests and answers of sandboxd carry their values (PROTOCOL.md, section 1). No I/O."""

import struct
from collections.abc import Iterable
from enum import IntEnum

from runtime.errors import ProtocolViolation
from runtime.terminal.frames import Data


class Tag(IntEnum):
    ID = 1
    ARG = 2
    ENV = 3
    CWD = 4
    USER = 5
    COLS = 6
    ROWS = 7
    FLAGS = 8
    OFFSET = 9
    WINDOW = 10
    CLIENT = 11
    TIMEOUT = 12
    LIMIT = 13
    SECONDS = 14
    CODE = 15
    MESSAGE = 16
    EXIT_CODE = 17
    SIGNAL = 18
    PID = 19
    VERSION = 20
    INPUT = 21
    TERMINAL = 22
    RING = 23
    NEXT = 24
    HOSTNAME = 25
    MILLISECONDS = 26


_HEADER = struct.Struct(">BI")
_U16 = struct.Struct(">H")
_I32 = struct.Struct(">i")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")

INTEGERS = {
    Tag.COLS: _U16,
    Tag.ROWS: _U16,
    Tag.FLAGS: _U32,
    Tag.OFFSET: _U64,
    Tag.WINDOW: _U32,
    Tag.CLIENT: _U64,
    Tag.TIMEOUT: _U32,
    Tag.LIMIT: _U64,
    Tag.SECONDS: _U64,
    Tag.EXIT_CODE: _I32,
    Tag.SIGNAL: _U32,
    Tag.PID: _U32,
    Tag.VERSION: _U32,
    Tag.INPUT: _U64,
    Tag.RING: _U32,
    Tag.NEXT: _U64,
    Tag.MILLISECONDS: _U64,
}
"""The tags whose value is a number, and how it is laid out; the value of all others is bytes."""
REPEATED = frozenset({Tag.ARG, Tag.ENV, Tag.TERMINAL})


class Fields:
    """Decoded fields. Asking for one that is missing or malformed raises ProtocolViolation."""

    def __init__(self, values: dict[Tag, list[bytes]]) -> None:
        self._values = values

    def __contains__(self, tag: Tag) -> bool:
        return tag in self._values

    def data(self, tag: Tag) -> bytes:
        values = self._values.get(tag)
        if not values:
            raise ProtocolViolation(f"{tag.name} is missing")
        return values[0]

    def all(self, tag: Tag) -> list[bytes]:
        """Every value of a repeated tag, in order; an empty list when there is none."""
        return self._values.get(tag, [])

    def number(self, tag: Tag, default: int | None = None) -> int:
        if default is not None and tag not in self._values:
            return default
        layout = INTEGERS[tag]
        value = self.data(tag)
        if len(value) != layout.size:
            raise ProtocolViolation(f"{tag.name} has the wrong length")
        return int(layout.unpack(value)[0])

    def text(self, tag: Tag) -> str:
        """As UTF-8; what is not UTF-8 is replaced, so the result may be shown, not compared."""
        return self.data(tag).decode("utf-8", "replace")


def decode_fields(payload: Data, allowed: frozenset[Tag]) -> Fields:
    """Raises ProtocolViolation for a field cut off, a tag that is not allowed, or one that came twice."""
    values: dict[Tag, list[bytes]] = {}
    data = bytes(payload)
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise ProtocolViolation("a field is cut off")
        number, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        if length > len(data) - at:
            raise ProtocolViolation("a field is longer than its frame")
        if number not in allowed:
            raise ProtocolViolation(f"field {number} is not expected")
        tag = Tag(number)
        found = values.setdefault(tag, [])
        if found and tag not in REPEATED:
            raise ProtocolViolation(f"{tag.name} came twice")
        found.append(data[at : at + length])
        at += length
    return Fields(values)


def encode_field(tag: Tag, value: int | str | Data) -> bytes:
    """One field. Raises ValueError when a number does not fit."""
    if isinstance(value, int):
        data: Data = _pack(tag, value)
    elif isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape")
    else:
        data = value
    return b"".join((_HEADER.pack(tag, len(data)), data))


def _pack(tag: Tag, number: int) -> bytes:
    try:
        return INTEGERS[tag].pack(number)
    except struct.error:
        raise ValueError(f"{tag.name} can't be {number}") from None


def encode_fields(fields: Iterable[tuple[Tag, int | str | Data | None]]) -> bytes:
    """The fields one after the other; those whose value is None are left out."""
    return b"".join(encode_field(tag, value) for tag, value in fields if value is not None)
