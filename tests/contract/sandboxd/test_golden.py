"""The golden frames: the C parsers and the Python codec make the same of them, and of bytes that are not allowed."""

import json
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import ProtocolViolation
from runtime.terminal import answers, frames, requests
from runtime.terminal.fields import Tag, decode_fields, encode_fields
from runtime.terminal.frames import FROM_SANDBOXD, TO_SANDBOXD, FrameParser, FrameType
from tests.support.sandboxd import DEADLINE, SOURCES, make

GOLDEN = SOURCES / "golden"
INDEX: list[dict[str, Any]] = json.loads((GOLDEN / "index.json").read_text())
VALID = [pytest.param(entry, id=entry["file"]) for entry in INDEX if "invalid" not in entry]
INVALID = [pytest.param(entry, id=entry["file"]) for entry in INDEX if "invalid" in entry]


@pytest.fixture(scope="session")
def inspect() -> Path:
    return make("inspect", "sanitized/inspect")


def _lines(inspect: Path, file: str) -> dict[str, list[str]]:
    done = subprocess.run([inspect, GOLDEN / file], capture_output=True, text=True, timeout=DEADLINE, check=True)
    lines = defaultdict(list)
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        lines[word].append(rest)
    return lines


def _bytes(shown: dict[str, Any]) -> bytes:
    return bytes.fromhex(shown["hex"]) * int(shown.get("times", 1))


def _value(field: dict[str, Any]) -> bytes | int:
    value = field["value"]
    if field["kind"] == "u64":
        return int(value)
    if field["kind"] == "text":
        return str(value).encode()
    return _bytes(value) if isinstance(value, dict) else int(value)


def _encoded(fields: list[dict[str, Any]]) -> bytes:
    return encode_fields(
        (Tag(field["tag"]), _encoded(field["fields"]) if "fields" in field else _value(field)) for field in fields
    )


def _payload(entry: dict[str, Any]) -> bytes:
    """What the index says, encoded by our own codec."""
    if "fields" in entry:
        return _encoded(entry["fields"])
    layouts = {"offset": 8, "accepted": 8, "from": 8, "to": 8, "cols": 2, "rows": 2, "signal": 4, "bytes": 4}
    return b"".join(
        _bytes(value) if key == "data" else int(value).to_bytes(layouts[key], "big")
        for key, value in entry["values"].items()
    )


def test_every_type_is_there() -> None:
    assert {entry["number"] for entry in INDEX if "number" in entry} == {int(frame_type) for frame_type in FrameType}
    assert {entry["file"] for entry in INDEX} == {path.name for path in GOLDEN.glob("*.bin")}


@pytest.mark.parametrize("entry", VALID)
def test_python(entry: dict[str, Any]) -> None:
    data = (GOLDEN / entry["file"]).read_bytes()
    accepted = FROM_SANDBOXD if entry["from"] == "sandboxd" else TO_SANDBOXD
    (frame,) = FrameParser(accepted).feed(data)
    assert frame.type == entry["number"] == FrameType[entry["type"]]
    assert frame.payload == _payload(entry)
    assert frames.encode_frame(FrameType(frame.type), frame.payload) == data
    if "fields" in entry:
        decoded = decode_fields(frame.payload, frozenset(Tag))
        for field in entry["fields"]:
            value = _encoded(field["fields"]) if "fields" in field else _value(field)
            tag = Tag(field["tag"])
            assert (decoded.number(tag) == value) if isinstance(value, int) else value in decoded.all(tag)


@pytest.mark.parametrize("entry", VALID)
def test_c(inspect: Path, entry: dict[str, Any]) -> None:
    lines = _lines(inspect, entry["file"])
    assert lines["frame"] == ["complete"]
    assert lines["complete"] == [], "no part of it was taken for a frame"
    assert lines["type"] == [str(entry["number"])]
    assert lines["payload"] == [_payload(entry).hex()]
    if "fields" not in entry:
        return
    assert lines["again"] == ["same"]
    shown = [line.split(" ") for line in lines["field"]]
    assert [int(tag) for tag, _ in shown] == [field["tag"] for field in entry["fields"]]
    assert b"".join(encode_fields([(Tag(int(tag)), bytes.fromhex(value))]) for tag, value in shown) == _payload(entry)
    if entry["from"] == "host":
        _check_request(lines, entry["fields"])


def _check_request(lines: dict[str, list[str]], fields: list[dict[str, Any]]) -> None:
    assert lines["refused"] == []
    understood = dict(line.split(" ") for line in lines["request"])
    assert int(understood.pop("ARGS")) == sum(field["name"] == "ARG" for field in fields)
    assert int(understood.pop("ENVS")) == sum(field["name"] == "ENV" for field in fields)
    for field in fields:
        value = _value(field)
        if field["name"] in {"ARG", "ENV"}:
            continue
        shown = understood.pop(field["name"])
        if field["name"] == "ID":
            assert shown.encode() == value
        else:
            assert shown == (value.hex() if isinstance(value, bytes) else str(value))
    assert not understood


@pytest.mark.parametrize("entry", INVALID)
def test_c_refuses(inspect: Path, entry: dict[str, Any]) -> None:
    lines = _lines(inspect, entry["file"])
    if entry["invalid"] == "length":
        assert lines["frame"] == ["invalid"]
    else:
        assert lines["frame"] == ["complete"]
        assert lines["refused"]


@pytest.mark.parametrize("entry", INVALID)
def test_python_refuses(entry: dict[str, Any]) -> None:
    """Lengths and types; fields are judged by whoever knows the request, which is sandboxd."""
    data = (GOLDEN / entry["file"]).read_bytes()
    parser = FrameParser(TO_SANDBOXD)
    if entry["invalid"] in {"length", "type"}:
        with pytest.raises(ProtocolViolation):
            parser.feed(data)
    else:
        assert len(parser.feed(data)) == 1


DECODERS = {
    "hello.bin": (answers.decode_hello, answers.Hello(1, "machine", 1, False)),
    "hello_started.bin": (answers.decode_hello, answers.Hello(1, "", 1, True)),
    "ok.bin": (answers.decode_done, None),
    "ok_pid.bin": (answers.decode_pid, 42),
    "ok_attached.bin": (answers.decode_attached, answers.Attached(2**53 + 1, 2**64 - 1, 80, 24, 5)),
    "ok_terminals.bin": (
        answers.decode_terminals,
        [
            answers.TerminalStatus("main", 7, 80, 24, 0, 12, True, False, 0, 0, 1500),
            answers.TerminalStatus(
                "0-_Z", 4_194_304, 1000, 1, 2**40, 2**40 + 1_048_576, False, True, -1, 9, 86_400_000
            ),
        ],
    ),
    "error.bin": (answers.decode_refused, answers.Refused("command_not_found", "no such command: ä")),
    "exit.bin": (answers.decode_exit, answers.ExitStatus(0, 0)),
    "exit_signal.bin": (answers.decode_exit, answers.ExitStatus(-1, 11)),
    "exit_exec.bin": (answers.decode_exit, answers.ExitStatus(-1, 9, 2001, answers.ExitFlag(7))),
    "gap.bin": (frames.decode_gap, (1, 1_048_577)),
    "resized.bin": (frames.decode_resized, (132, 43)),
    "input_ack.bin": (frames.decode_input_ack, 4_294_967_299),
    "restore.bin": (frames.decode_restore, (1_048_577, b"\x18\x1b[?1049h\x1b[0;1m")),
    "output.bin": (frames.decode_output, (0, b"$ ")),
    "output_longest.bin": (frames.decode_output, (65_536, b"0123456789abcdef" * 4096)),
}


@pytest.mark.parametrize("file", DECODERS)
def test_answers(file: str) -> None:
    decode, expected = DECODERS[file]
    assert decode((GOLDEN / file).read_bytes()[4:]) == expected


BUILT = {
    "start.bin": requests.start(3600),
    "open.bin": requests.open_terminal("t1", ["sh"], cols=80, rows=24),
    "open_all.bin": requests.open_terminal(
        "a" * 64,
        ["/bin/bash", "", b"\xff\xfe \xc3\xa4"],
        environment=["TERM=xterm-256color", "EMPTY="],
        directory="/home/user",
        user="user:group",
        cols=1000,
        rows=1,
        flags=requests.OpenFlag.MAIN | requests.OpenFlag.BARE,
    ),
    "attach.bin": requests.attach("t1", window=524_288),
    "attach_observe.bin": requests.attach("t1", window=16 << 20, flags=requests.AttachFlag.OBSERVE),
    "close.bin": requests.close_terminal("t1"),
    "list.bin": requests.list_terminals(),
    "exec.bin": requests.execute(["true"]),
    "exec_all.bin": requests.execute(
        ["sh", "-c", "exit 3"],
        environment=["A=b=c"],
        directory="/",
        user="1000",
        timeout_ms=2**32 - 1,
        limit_bytes=2**64 - 1,
        flags=requests.ExecFlag(7),
    ),
    "deadline.bin": requests.deadline(1),
    "signal.bin": requests.signal_terminal("t1", 64),
    "input.bin": frames.encode_input(b"ls -l\r"),
    "input_at.bin": frames.encode_input_at(4_294_967_296, "ä\r".encode()),
    "resize_most.bin": frames.encode_resize(1000, 1000),
    "ack_most.bin": frames.encode_ack(2**64 - 1),
    "window.bin": frames.encode_window(16_384),
    "stdin_end.bin": frames.encode_stdin(b""),
    "kill.bin": frames.encode_kill(15),
}


@pytest.mark.parametrize("file", BUILT)
def test_requests(file: str) -> None:
    assert BUILT[file] == (GOLDEN / file).read_bytes()
