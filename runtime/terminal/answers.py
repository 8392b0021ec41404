"""What sandboxd answers (PROTOCOL.md, sections 2 and 3), decoded and checked.

Every function raises ProtocolViolation for an answer that makes no sense: machines are not trusted.
"""

from dataclasses import dataclass
from enum import IntFlag

from runtime.errors import ProtocolViolation
from runtime.terminal.fields import Fields, Tag, decode_fields
from runtime.terminal.frames import MAX_SIDE, PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class Hello:
    version: int
    hostname: str
    pid: int
    started: bool
    """Whether START was received."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An ERROR. `code` is stable; `message` is for a person and comes from inside the machine."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Attached:
    offset: int
    """Where output continues."""
    next_offset: int
    cols: int
    rows: int
    input_accepted: int
    """Input bytes of this CLIENT that were accepted before; 0 without one."""


@dataclass(frozen=True, slots=True)
class TerminalStatus:
    terminal_id: str
    pid: int
    cols: int
    rows: int
    oldest_offset: int
    next_offset: int
    main: bool
    exited: bool
    exit_code: int
    """-1 when a signal ended it; 0 while it runs."""
    signal: int
    idle_ms: int
    """Milliseconds since the last input."""
    awaited: bool = False
    """Whoever keeps its output has not taken all of it yet."""


class ExitFlag(IntFlag):
    NONE = 0
    STDOUT_TRUNCATED = 1
    STDERR_TRUNCATED = 2
    TIMED_OUT = 4


@dataclass(frozen=True, slots=True)
class ExitStatus:
    exit_code: int
    """-1 when a signal ended it."""
    signal: int
    """0: none."""
    duration_ms: int = 0
    """Of a command; 0 for a terminal."""
    flags: ExitFlag = ExitFlag.NONE


_HELLO = frozenset({Tag.VERSION, Tag.HOSTNAME, Tag.PID, Tag.FLAGS})
_ERROR = frozenset({Tag.CODE, Tag.MESSAGE})
_PID = frozenset({Tag.PID})
_ATTACHED = frozenset({Tag.OFFSET, Tag.NEXT, Tag.COLS, Tag.ROWS, Tag.INPUT})
_LISTED = frozenset({Tag.TERMINAL})
_TERMINAL = frozenset(
    {
        Tag.ID,
        Tag.PID,
        Tag.COLS,
        Tag.ROWS,
        Tag.OFFSET,
        Tag.NEXT,
        Tag.FLAGS,
        Tag.EXIT_CODE,
        Tag.SIGNAL,
        Tag.MILLISECONDS,
    }
)
_EXIT = frozenset({Tag.EXIT_CODE, Tag.SIGNAL, Tag.MILLISECONDS, Tag.FLAGS})


def decode_hello(body: bytes) -> Hello:
    fields = _fields(body, _HELLO)
    version = fields.number(Tag.VERSION)
    if version != PROTOCOL_VERSION:
        raise ProtocolViolation(f"version {version} of the protocol is not known")
    return Hello(version, fields.text(Tag.HOSTNAME), fields.number(Tag.PID), bool(fields.number(Tag.FLAGS) & 1))


def decode_refused(body: bytes) -> Refused:
    fields = _fields(body, _ERROR)
    return Refused(fields.text(Tag.CODE), fields.text(Tag.MESSAGE))


def decode_pid(body: bytes) -> int:
    """The answer to OPEN and EXEC."""
    return _fields(body, _PID).number(Tag.PID)


def decode_done(body: bytes) -> None:
    """The empty answer to START, CLOSE, DEADLINE and SIGNAL."""
    _fields(body, frozenset())


def decode_attached(body: bytes) -> Attached:
    fields = _fields(body, _ATTACHED)
    cols, rows = _size(fields)
    offset, next_offset = fields.number(Tag.OFFSET), fields.number(Tag.NEXT)
    if offset > next_offset:
        raise ProtocolViolation("output would continue after its end")
    return Attached(offset, next_offset, cols, rows, fields.number(Tag.INPUT))


def decode_terminals(body: bytes) -> list[TerminalStatus]:
    """The answer to LIST."""
    return [_terminal(nested) for nested in _fields(body, _LISTED).all(Tag.TERMINAL)]


def decode_exit(body: bytes) -> ExitStatus:
    fields = _fields(body, _EXIT)
    return ExitStatus(
        fields.number(Tag.EXIT_CODE),
        fields.number(Tag.SIGNAL),
        fields.number(Tag.MILLISECONDS, default=0),
        ExitFlag(fields.number(Tag.FLAGS, default=0) & 7),
    )


def _terminal(nested: bytes) -> TerminalStatus:
    fields = decode_fields(nested, _TERMINAL)
    cols, rows = _size(fields)
    flags = fields.number(Tag.FLAGS)
    return TerminalStatus(
        terminal_id=fields.text(Tag.ID),
        pid=fields.number(Tag.PID),
        cols=cols,
        rows=rows,
        oldest_offset=fields.number(Tag.OFFSET),
        next_offset=fields.number(Tag.NEXT),
        main=bool(flags & 1),
        exited=bool(flags & 2),
        exit_code=fields.number(Tag.EXIT_CODE),
        signal=fields.number(Tag.SIGNAL),
        idle_ms=fields.number(Tag.MILLISECONDS),
        awaited=bool(flags & 4),
    )


def _size(fields: Fields) -> tuple[int, int]:
    cols, rows = fields.number(Tag.COLS), fields.number(Tag.ROWS)
    if not (1 <= cols <= MAX_SIDE and 1 <= rows <= MAX_SIDE):
        raise ProtocolViolation(f"a terminal of {cols} x {rows} is not allowed")
    return cols, rows


def _fields(body: bytes, allowed: frozenset[Tag]) -> Fields:
    return decode_fields(memoryview(body)[1:], allowed)
