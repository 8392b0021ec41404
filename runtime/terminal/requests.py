"""Builders of every request to sandboxd (PROTOCOL.md, section 3): each returns one whole frame.

All of them raise ValueError, with a sentence for a person, for what sandboxd would refuse as a violation of
the protocol.
"""

import re
from collections.abc import Sequence
from enum import IntFlag

from runtime.terminal.fields import Tag, encode_fields
from runtime.terminal.frames import MAX_SIDE, FrameType, encode_frame

Text = str | bytes
_ID = re.compile(r"[0-9a-zA-Z_-]{1,64}")
MIN_WINDOW, MAX_WINDOW = 4 << 10, 16 << 20
MIN_RING, MAX_RING = 64 << 10, 64 << 20
MAX_SECONDS = 10 * 366 * 86_400
"""The farthest deadline."""
MAX_SIGNAL = 64


class OpenFlag(IntFlag):
    NONE = 0
    MAIN = 1
    """When this process ends, the machine ends, with its status."""
    BARE = 2
    """The environment is what the request says and nothing else."""
    KEEP = 4
    """The program waits rather than that output is lost which no keeper has acknowledged."""


class AttachFlag(IntFlag):
    NONE = 0
    OBSERVE = 1
    KEEP = 2
    """This client is a keeper, from its offset on; what it has not acknowledged is kept, also when it is gone."""
    RELEASE = 4
    """Nothing is kept any more."""


class ExecFlag(IntFlag):
    NONE = 0
    ACKNOWLEDGED = 1
    """Keep to a window of 512 KiB beyond the ACKs for both streams together."""
    BARE = 2
    SELF = 4
    """The command is sandboxd's own (`fs`, `read`, path): needs nothing in the image."""


def start(seconds: int, ring_bytes: int | None = None) -> bytes:
    _check(1 <= seconds <= MAX_SECONDS, f"a deadline in {seconds} s is not allowed")
    _check(
        ring_bytes is None or MIN_RING <= ring_bytes <= MAX_RING,
        f"a ring of {ring_bytes} bytes is not allowed",
    )
    return _request(FrameType.START, (Tag.SECONDS, seconds), (Tag.RING, ring_bytes))


def open_terminal(
    terminal_id: str,
    command: Sequence[Text],
    *,
    cols: int,
    rows: int,
    environment: Sequence[Text] = (),
    directory: Text | None = None,
    user: Text | None = None,
    patience_ms: int = 0,
    flags: OpenFlag = OpenFlag.NONE,
) -> bytes:
    """OPEN. `environment` is `NAME=value` each; `user` is a name, uid, `uid:gid` or `name:group`.

    None for `user` and `directory`: as sandboxd itself, that is, as the image says. `patience_ms`: how long the program
    waits with KEEP at most; 0: a minute.
    """
    _check_size(cols, rows)
    return _request(
        FrameType.OPEN,
        (Tag.ID, _checked_id(terminal_id)),
        *_command(command, environment, directory, user),
        (Tag.COLS, cols),
        (Tag.ROWS, rows),
        (Tag.TIMEOUT, patience_ms or None),
        (Tag.FLAGS, flags or None),
    )


def attach(
    terminal_id: str,
    *,
    window: int,
    offset: int | None = None,
    client: int = 0,
    size: tuple[int, int] | None = None,
    patience_ms: int = 0,
    flags: AttachFlag = AttachFlag.NONE,
) -> bytes:
    """ATTACH. `offset` None: from the oldest byte that is kept; `size`: columns and rows, None: unchanged.

    `patience_ms`: as for OPEN.
    """
    _check(MIN_WINDOW <= window <= MAX_WINDOW, f"a window of {window} bytes is not allowed")
    cols, rows = size if size else (None, None)
    if cols is not None and rows is not None:
        _check_size(cols, rows)
    return _request(
        FrameType.ATTACH,
        (Tag.ID, _checked_id(terminal_id)),
        (Tag.WINDOW, window),
        (Tag.OFFSET, offset),
        (Tag.CLIENT, client or None),
        (Tag.COLS, cols),
        (Tag.ROWS, rows),
        (Tag.TIMEOUT, patience_ms or None),
        (Tag.FLAGS, flags or None),
    )


def close_terminal(terminal_id: str) -> bytes:
    return _request(FrameType.CLOSE, (Tag.ID, _checked_id(terminal_id)))


def list_terminals() -> bytes:
    return encode_frame(FrameType.LIST)


def execute(
    command: Sequence[Text],
    *,
    environment: Sequence[Text] = (),
    directory: Text | None = None,
    user: Text | None = None,
    timeout_ms: int = 0,
    limit_bytes: int | None = None,
    flags: ExecFlag = ExecFlag.NONE,
) -> bytes:
    """EXEC. `timeout_ms` 0: none; `limit_bytes` is the most that is sent of each stream, None: no limit."""
    return _request(
        FrameType.EXEC,
        *_command(command, environment, directory, user),
        (Tag.TIMEOUT, timeout_ms or None),
        (Tag.LIMIT, limit_bytes),
        (Tag.FLAGS, flags or None),
    )


def deadline(seconds: int) -> bytes:
    _check(1 <= seconds <= MAX_SECONDS, f"a deadline in {seconds} s is not allowed")
    return _request(FrameType.DEADLINE, (Tag.SECONDS, seconds))


def signal_terminal(terminal_id: str, signal: int) -> bytes:
    _check(1 <= signal <= MAX_SIGNAL, f"there is no signal {signal}")
    return _request(FrameType.SIGNAL, (Tag.ID, _checked_id(terminal_id)), (Tag.SIGNAL, signal))


_Field = tuple[Tag, int | Text | None]


def _request(frame_type: FrameType, *fields: _Field) -> bytes:
    return encode_frame(frame_type, encode_fields(fields))


def _command(
    command: Sequence[Text], environment: Sequence[Text], directory: Text | None, user: Text | None
) -> list[_Field]:
    _check(bool(command), "a command has at least one word")
    directory = _bytes(directory, "the directory") if directory is not None else None
    _check(directory is None or directory.startswith(b"/"), "the directory must be an absolute path")
    variables = [_bytes(variable, "the environment") for variable in environment]
    _check(all(variable.find(b"=") > 0 for variable in variables), "a variable is written NAME=value")
    return [
        *((Tag.ARG, _bytes(word, "the command")) for word in command),
        *((Tag.ENV, variable) for variable in variables),
        (Tag.CWD, directory),
        (Tag.USER, _bytes(user, "the user") if user else None),
    ]


def _bytes(text: Text, what: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    _check(b"\0" not in data, f"{what} must not contain a NUL")
    return data


def _checked_id(terminal_id: str) -> str:
    _check(_ID.fullmatch(terminal_id) is not None, "a terminal id is 1 to 64 letters, digits, _ and -")
    return terminal_id


def _check_size(cols: int, rows: int) -> None:
    _check(1 <= cols <= MAX_SIDE and 1 <= rows <= MAX_SIDE, f"a terminal of {cols} x {rows} is not allowed")


def _check(good: bool, message: str) -> None:
    if not good:
        raise ValueError(message)
