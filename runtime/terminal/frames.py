"""Frames of the sandboxd protocol (`runtime/sandboxd/PROTOCOL.md`, sections 1 and 2), without any I/O.

A frame's `body` is its type byte and payload in one piece: what the browser's terminal socket carries as a
message, so a relay hands it on without a copy.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from runtime.errors import ProtocolViolation

Data = bytes | bytearray | memoryview

PROTOCOL_VERSION = 1
MAX_BODY = 65_601
"""The longest type and payload, in bytes."""
MAX_DATA = 65_536
"""The most bytes of a terminal or a command in one frame."""
MAX_RESTORE = 4096
"""The most bytes that put a terminal into a state."""
MAX_SIDE = 1000
"""The most columns or rows."""


class FrameType(IntEnum):
    INPUT = 0x00
    RESIZE = 0x01
    ACK = 0x02
    INPUT_AT = 0x03
    WINDOW = 0x04
    STDIN = 0x08
    KILL = 0x09
    START = 0x10
    OPEN = 0x11
    ATTACH = 0x12
    CLOSE = 0x13
    LIST = 0x14
    EXEC = 0x15
    DEADLINE = 0x16
    SIGNAL = 0x17
    OUTPUT = 0x81
    EXIT = 0x82
    INPUT_ACK = 0x84
    RESTORE = 0x85
    STDOUT = 0x88
    STDERR = 0x89
    HELLO = 0x90
    OK = 0x91
    ERROR = 0x92
    GAP = 0x93
    RESIZED = 0x94


FROM_SANDBOXD = frozenset(frame_type for frame_type in FrameType if frame_type >= 0x80)
TO_SANDBOXD = frozenset(frame_type for frame_type in FrameType if frame_type < 0x80)


class Frame(NamedTuple):
    """One complete frame. `type` is a `FrameType` as a plain number: every byte of output passes here."""

    type: int
    body: bytes
    """Type byte and payload."""

    @property
    def payload(self) -> memoryview:
        """A view of what follows the type byte; copies nothing."""
        return memoryview(self.body)[1:]


class FrameParser:
    """Cuts a byte stream into frames, however it was split. Holds less than one frame between calls."""

    def __init__(self, accepted: frozenset[FrameType] = FROM_SANDBOXD) -> None:
        self._accepted: frozenset[int] = accepted
        self._held = bytearray()
        self._needed = 4

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete with `data`, in order.

        Raises ProtocolViolation for a length or a type that the protocol does not know; the parser is of no
        use afterwards.
        """
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return []
            data = bytes(self._held)
            self._held.clear()
        return self._cut(data)

    def _cut(self, data: bytes) -> list[Frame]:
        frames = []
        start, size = 0, len(data)
        while True:
            begin = start + 4
            if begin > size:
                self._needed = 4
                break
            length = int.from_bytes(data[start:begin], "big")
            if not 1 <= length <= MAX_BODY:
                raise ProtocolViolation(f"a frame of {length} bytes is not allowed")
            if begin < size and data[begin] not in self._accepted:
                raise ProtocolViolation(f"frame type 0x{data[begin]:02x} is not expected")
            end = begin + length
            if end > size:
                self._needed = 4 + length
                break
            frames.append(Frame(data[begin], data[begin:end]))
            start = end
        if start < size:
            self._held += memoryview(data)[start:]
        return frames


def encode_frame(frame_type: FrameType, payload: Data = b"") -> bytes:
    """A whole frame. Raises ValueError when it would be longer than the protocol allows."""
    length = 1 + memoryview(payload).nbytes
    if length > MAX_BODY:
        raise ValueError(f"a frame of {length} bytes is longer than the protocol allows ({MAX_BODY})")
    return b"".join((length.to_bytes(4, "big"), bytes((frame_type,)), payload))


def wrap_body(body: bytes) -> bytes:
    """A whole frame around a body (type byte and payload) that came from the browser and was checked."""
    if not 1 <= len(body) <= MAX_BODY:
        raise ValueError(f"a body of {len(body)} bytes is not allowed")
    return len(body).to_bytes(4, "big") + body


_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_SIZE = struct.Struct(">HH")
_RANGE = struct.Struct(">QQ")


def encode_input(data: Data) -> bytes:
    """INPUT: 1 to 65,536 bytes for the terminal."""
    _check_data(data, least=1)
    return encode_frame(FrameType.INPUT, data)


def encode_input_at(offset: int, data: Data) -> bytes:
    """INPUT_AT: the same, with the number of input bytes that this CLIENT sent before these."""
    _check_data(data, least=1)
    return encode_frame(FrameType.INPUT_AT, b"".join((_U64.pack(offset), data)))


def encode_resize(cols: int, rows: int) -> bytes:
    """RESIZE. Raises ValueError unless both are 1 to 1000."""
    if not (1 <= cols <= MAX_SIDE and 1 <= rows <= MAX_SIDE):
        raise ValueError(f"a terminal of {cols} x {rows} is not allowed")
    return encode_frame(FrameType.RESIZE, _SIZE.pack(cols, rows))


def encode_ack(offset: int) -> bytes:
    """ACK: all output before this offset was processed; for a command, the sum of both streams."""
    return encode_frame(FrameType.ACK, _U64.pack(offset))


def encode_window(size: int) -> bytes:
    """WINDOW: from now on, at most so many bytes beyond the last ACK."""
    return encode_frame(FrameType.WINDOW, _U32.pack(size))


def encode_stdin(data: Data) -> bytes:
    """STDIN: up to 65,536 bytes for the command; none: end of its input."""
    _check_data(data, least=0)
    return encode_frame(FrameType.STDIN, data)


def encode_kill(signal: int) -> bytes:
    """KILL: the signal to the whole process group of the command."""
    return encode_frame(FrameType.KILL, _U32.pack(signal))


def decode_output(body: bytes) -> tuple[int, memoryview]:
    """OUTPUT: the offset of the first byte, and a view of the bytes."""
    if not 10 <= len(body) <= 9 + MAX_DATA:
        raise ProtocolViolation("OUTPUT has the wrong length")
    return _U64.unpack_from(body, 1)[0], memoryview(body)[9:]


def decode_input_ack(body: bytes) -> int:
    """INPUT_ACK: how many input bytes of this CLIENT were accepted so far."""
    return int(_unpack(_U64, body, "INPUT_ACK")[0])


def decode_restore(body: bytes) -> tuple[int, memoryview]:
    """RESTORE: where output goes on, and what makes a terminal ready for it, whatever it showed before."""
    if not 10 <= len(body) <= 9 + MAX_RESTORE:
        raise ProtocolViolation("RESTORE has the wrong length")
    return _U64.unpack_from(body, 1)[0], memoryview(body)[9:]


def decode_gap(body: bytes) -> tuple[int, int]:
    """GAP: the first offset that is missing, and the first that follows."""
    begin, end = _unpack(_RANGE, body, "GAP")
    if begin >= end:
        raise ProtocolViolation("GAP is empty")
    return begin, end


def decode_resized(body: bytes) -> tuple[int, int]:
    """RESIZED: columns, rows."""
    cols, rows = _unpack(_SIZE, body, "RESIZED")
    if not (1 <= cols <= MAX_SIDE and 1 <= rows <= MAX_SIDE):
        raise ProtocolViolation("RESIZED is out of range")
    return cols, rows


def _unpack(layout: struct.Struct, body: bytes, name: str) -> tuple[int, ...]:
    if len(body) != 1 + layout.size:
        raise ProtocolViolation(f"{name} has the wrong length")
    return layout.unpack_from(body, 1)


def _check_data(data: Data, *, least: int) -> None:
    size = memoryview(data).nbytes
    if not least <= size <= MAX_DATA:
        raise ValueError(f"{size} bytes of data in one frame are not allowed")
