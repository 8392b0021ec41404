"""Writes the golden frames: `python runtime/sandboxd/golden/write.py`.

Every frame is spelled out with `struct` here, apart from the codecs that are tested against it. Numbers of 64 bits are
strings in the index, for languages whose numbers are floating point.
"""

import json
import struct
from pathlib import Path

HERE = Path(__file__).parent
KINDS = {"u16": ">H", "u32": ">I", "u64": ">Q", "i32": ">i"}
TAGS = {
    "ID": (1, "text"),
    "ARG": (2, "bytes"),
    "ENV": (3, "bytes"),
    "CWD": (4, "bytes"),
    "USER": (5, "bytes"),
    "COLS": (6, "u16"),
    "ROWS": (7, "u16"),
    "FLAGS": (8, "u32"),
    "OFFSET": (9, "u64"),
    "WINDOW": (10, "u32"),
    "CLIENT": (11, "u64"),
    "TIMEOUT": (12, "u32"),
    "LIMIT": (13, "u64"),
    "SECONDS": (14, "u64"),
    "CODE": (15, "text"),
    "MESSAGE": (16, "text"),
    "EXIT_CODE": (17, "i32"),
    "SIGNAL": (18, "u32"),
    "PID": (19, "u32"),
    "VERSION": (20, "u32"),
    "INPUT": (21, "u64"),
    "TERMINAL": (22, "nested"),
    "RING": (23, "u32"),
    "NEXT": (24, "u64"),
    "HOSTNAME": (25, "text"),
    "MILLISECONDS": (26, "u64"),
}
TYPES = {
    "INPUT": 0x00,
    "RESIZE": 0x01,
    "ACK": 0x02,
    "INPUT_AT": 0x03,
    "WINDOW": 0x04,
    "STDIN": 0x08,
    "KILL": 0x09,
    "START": 0x10,
    "OPEN": 0x11,
    "ATTACH": 0x12,
    "CLOSE": 0x13,
    "LIST": 0x14,
    "EXEC": 0x15,
    "DEADLINE": 0x16,
    "SIGNAL": 0x17,
    "OUTPUT": 0x81,
    "EXIT": 0x82,
    "INPUT_ACK": 0x84,
    "RESTORE": 0x85,
    "STDOUT": 0x88,
    "STDERR": 0x89,
    "HELLO": 0x90,
    "OK": 0x91,
    "ERROR": 0x92,
    "GAP": 0x93,
    "RESIZED": 0x94,
}
LAYOUTS: dict[str, list[tuple[str, str]]] = {
    "INPUT": [("data", "bytes")],
    "RESIZE": [("cols", "u16"), ("rows", "u16")],
    "ACK": [("offset", "u64")],
    "INPUT_AT": [("offset", "u64"), ("data", "bytes")],
    "WINDOW": [("bytes", "u32")],
    "STDIN": [("data", "bytes")],
    "KILL": [("signal", "u32")],
    "OUTPUT": [("offset", "u64"), ("data", "bytes")],
    "INPUT_ACK": [("accepted", "u64")],
    "RESTORE": [("offset", "u64"), ("data", "bytes")],
    "STDOUT": [("data", "bytes")],
    "STDERR": [("data", "bytes")],
    "GAP": [("from", "u64"), ("to", "u64")],
    "RESIZED": [("cols", "u16"), ("rows", "u16")],
}
MOST = 2**64 - 1

Nested = list[tuple[str, int | str | bytes]]
Fields = list[tuple[str, int | str | bytes | Nested]]
Json = dict[str, object]

STREAMS: dict[str, tuple[str, list[int | bytes]]] = {
    "input": ("INPUT", [b"ls -l\r"]),
    "input_control": ("INPUT", [b"\x03"]),
    "input_bytes": ("INPUT", [bytes(range(256))]),
    "resize_least": ("RESIZE", [1, 1]),
    "resize": ("RESIZE", [80, 24]),
    "resize_most": ("RESIZE", [1000, 1000]),
    "ack_zero": ("ACK", [0]),
    "ack_most": ("ACK", [MOST]),
    "input_at": ("INPUT_AT", [4_294_967_296, b"\xc3\xa4\r"]),
    "window": ("WINDOW", [16_384]),
    "stdin": ("STDIN", [b"one\ntwo\n"]),
    "stdin_end": ("STDIN", [b""]),
    "kill": ("KILL", [15]),
    "output": ("OUTPUT", [0, b"$ "]),
    "output_far": ("OUTPUT", [9_007_199_254_740_993, b"\x1b[31m\xff\x00red\x1b[0m"]),
    "output_longest": ("OUTPUT", [65_536, b"0123456789abcdef" * 4096]),
    "input_ack": ("INPUT_ACK", [4_294_967_299]),
    "restore": ("RESTORE", [1_048_577, b"\x18\x1b[?1049h\x1b[0;1m"]),
    "stdout": ("STDOUT", [b"out\n"]),
    "stdout_end": ("STDOUT", [b""]),
    "stderr": ("STDERR", [b"err\n"]),
    "stderr_end": ("STDERR", [b""]),
    "gap": ("GAP", [1, 1_048_577]),
    "resized": ("RESIZED", [132, 43]),
}
TERMINAL: Nested = [
    ("ID", "main"),
    ("PID", 7),
    ("COLS", 80),
    ("ROWS", 24),
    ("OFFSET", 0),
    ("NEXT", 12),
    ("FLAGS", 1),
    ("EXIT_CODE", 0),
    ("SIGNAL", 0),
    ("MILLISECONDS", 1500),
]
ENDED: Nested = [
    ("ID", "0-_Z"),
    ("PID", 4_194_304),
    ("COLS", 1000),
    ("ROWS", 1),
    ("OFFSET", 2**40),
    ("NEXT", 2**40 + 1_048_576),
    ("FLAGS", 2),
    ("EXIT_CODE", -1),
    ("SIGNAL", 9),
    ("MILLISECONDS", 86_400_000),
]
MESSAGES: dict[str, tuple[str, Fields]] = {
    "start": ("START", [("SECONDS", 3600)]),
    "start_ring": ("START", [("RING", 65_536), ("SECONDS", 316_224_000)]),
    "open": ("OPEN", [("ID", "t1"), ("ARG", b"sh"), ("COLS", 80), ("ROWS", 24)]),
    "open_all": (
        "OPEN",
        [
            ("ID", "a" * 64),
            ("ARG", b"/bin/bash"),
            ("ARG", b""),
            ("ARG", b"\xff\xfe \xc3\xa4"),
            ("ENV", b"TERM=xterm-256color"),
            ("ENV", b"EMPTY="),
            ("CWD", b"/home/user"),
            ("USER", b"user:group"),
            ("COLS", 1000),
            ("ROWS", 1),
            ("FLAGS", 3),
        ],
    ),
    "attach": ("ATTACH", [("ID", "t1"), ("WINDOW", 524_288)]),
    "attach_all": (
        "ATTACH",
        [
            ("FLAGS", 0),
            ("ROWS", 43),
            ("COLS", 132),
            ("CLIENT", MOST),
            ("OFFSET", 9_007_199_254_740_993),
            ("WINDOW", 4096),
            ("ID", "t1"),
        ],
    ),
    "attach_observe": ("ATTACH", [("ID", "t1"), ("WINDOW", 16_777_216), ("FLAGS", 1)]),
    "close": ("CLOSE", [("ID", "t1")]),
    "list": ("LIST", []),
    "exec": ("EXEC", [("ARG", b"true")]),
    "exec_all": (
        "EXEC",
        [
            ("ARG", b"sh"),
            ("ARG", b"-c"),
            ("ARG", b"exit 3"),
            ("ENV", b"A=b=c"),
            ("CWD", b"/"),
            ("USER", b"1000"),
            ("TIMEOUT", 4_294_967_295),
            ("LIMIT", MOST),
            ("FLAGS", 7),
        ],
    ),
    "deadline": ("DEADLINE", [("SECONDS", 1)]),
    "signal": ("SIGNAL", [("ID", "t1"), ("SIGNAL", 64)]),
    "exit": ("EXIT", [("EXIT_CODE", 0), ("SIGNAL", 0)]),
    "exit_signal": ("EXIT", [("EXIT_CODE", -1), ("SIGNAL", 11)]),
    "exit_exec": ("EXIT", [("EXIT_CODE", -1), ("SIGNAL", 9), ("MILLISECONDS", 2001), ("FLAGS", 7)]),
    "hello": ("HELLO", [("VERSION", 1), ("HOSTNAME", "machine"), ("PID", 1), ("FLAGS", 0)]),
    "hello_started": ("HELLO", [("VERSION", 1), ("HOSTNAME", ""), ("PID", 1), ("FLAGS", 1)]),
    "ok": ("OK", []),
    "ok_pid": ("OK", [("PID", 42)]),
    "ok_attached": (
        "OK",
        [("OFFSET", 2**53 + 1), ("NEXT", MOST), ("COLS", 80), ("ROWS", 24), ("INPUT", 5)],
    ),
    "ok_terminals": ("OK", [("TERMINAL", TERMINAL), ("TERMINAL", ENDED)]),
    "error": ("ERROR", [("CODE", "command_not_found"), ("MESSAGE", "no such command: \u00e4")]),
}
# A frame of a length or type that must be refused, or a request whose fields must be; what is wrong, and the bytes.
INVALID: dict[str, tuple[str, bytes]] = {
    "bad_length_zero": ("length", bytes.fromhex("00000000")),
    "bad_length_65602": ("length", bytes.fromhex("00010042")),
    "bad_length_most": ("length", bytes.fromhex("ffffffff")),
    "bad_type_7f": ("type", bytes.fromhex("000000017f")),
    "bad_type_ff": ("type", bytes.fromhex("00000003ff0000")),
    "bad_field_header_cut": ("fields", bytes.fromhex("0000000413010000")),
    "bad_field_value_cut": ("fields", bytes.fromhex("00000008130100000003") + b"ab"),
    "bad_field_length_most": ("fields", bytes.fromhex("000000061301ffffffff")),
    "bad_field_unknown": ("fields", bytes.fromhex("00000006147f00000000")),
    "bad_field_not_here": ("fields", bytes.fromhex("0000000c13010000000161") + bytes.fromhex("0200000000")),
    "bad_field_twice": ("fields", bytes.fromhex("0000000d13") + bytes.fromhex("010000000161") * 2),
    "bad_field_missing": ("fields", bytes.fromhex("0000000113")),
    "bad_id_slash": ("fields", bytes.fromhex("000000071301000000012f")),
    "bad_id_empty": ("fields", bytes.fromhex("00000006130100000000")),
    "bad_number_length": ("fields", bytes.fromhex("00000008160e000000020001")),
    "bad_seconds_zero": ("fields", bytes.fromhex("0000000e160e00000008") + bytes(8)),
    "bad_seconds_most": ("fields", bytes.fromhex("0000000e160e00000008") + b"\xff" * 8),
    "bad_arg_nul": ("fields", bytes.fromhex("0000000915020000000361") + b"\0b"),
    "bad_env_no_name": ("fields", bytes.fromhex("0000000d15020000000161") + bytes.fromhex("03000000013d")),
}


def scalar(kind: str, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return struct.pack(KINDS[kind], value)
    return value.encode() if isinstance(value, str) else value


def shown(kind: str, value: int | str | bytes) -> object:
    if isinstance(value, bytes):
        return {"hex": value.hex()} if len(value) < 1024 else {"hex": value[:16].hex(), "times": len(value) // 16}
    return str(value) if kind == "u64" else value


def field(name: str, value: int | str | bytes | Nested) -> tuple[bytes, Json]:
    tag, kind = TAGS[name]
    if isinstance(value, list):
        inner = [field(*one) for one in value]
        data = b"".join(encoded for encoded, _ in inner)
        entry: Json = {"name": name, "tag": tag, "kind": kind, "fields": [described for _, described in inner]}
    else:
        data = scalar(kind, value)
        entry = {"name": name, "tag": tag, "kind": kind, "value": shown(kind, value)}
    return struct.pack(">BI", tag, len(data)) + data, entry


def frame(name: str, payload: bytes) -> bytes:
    return struct.pack(">IB", 1 + len(payload), TYPES[name]) + payload


def entry_of(file: str, name: str, **more: object) -> Json:
    sender = "sandboxd" if TYPES[name] >= 0x80 else "host"
    return {"file": f"{file}.bin", "type": name, "number": TYPES[name], "from": sender, **more}


def main() -> None:
    index: list[Json] = []
    files: dict[str, bytes] = {}
    for file, (name, values) in STREAMS.items():
        layout = LAYOUTS[name]
        payload = b"".join(scalar(kind, value) for (_, kind), value in zip(layout, values, strict=True))
        described = {key: shown(kind, value) for (key, kind), value in zip(layout, values, strict=True)}
        files[file] = frame(name, payload)
        index.append(entry_of(file, name, values=described))
    for file, (name, fields) in MESSAGES.items():
        parts = [field(*one) for one in fields]
        files[file] = frame(name, b"".join(encoded for encoded, _ in parts))
        index.append(entry_of(file, name, fields=[described_field for _, described_field in parts]))
    for file, (wrong, data) in INVALID.items():
        files[file] = data
        index.append({"file": f"{file}.bin", "from": "host", "invalid": wrong})
    for file, data in files.items():
        (HERE / f"{file}.bin").write_bytes(data)
    (HERE / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
