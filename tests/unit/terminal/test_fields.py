"""Fields, requests and answers."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ProtocolViolation
from runtime.terminal import answers, requests
from runtime.terminal.fields import INTEGERS, Tag, decode_fields, encode_field, encode_fields
from runtime.terminal.frames import FrameParser, FrameType

ANY_TAG = frozenset(Tag)
DECODERS: list[Callable[[bytes], object]] = [
    answers.decode_hello,
    answers.decode_refused,
    answers.decode_pid,
    answers.decode_done,
    answers.decode_attached,
    answers.decode_terminals,
    answers.decode_exit,
]


@given(st.lists(st.tuples(st.sampled_from(sorted(ANY_TAG)), st.binary(max_size=64)), unique_by=lambda f: f[0]))
def test_what_was_encoded_is_decoded(values: list[tuple[Tag, bytes]]) -> None:
    fields = decode_fields(encode_fields(values), ANY_TAG)
    assert [(tag, fields.data(tag)) for tag, _ in values] == values


@pytest.mark.parametrize("tag", sorted(INTEGERS))
def test_numbers_keep_their_value(tag: Tag) -> None:
    bits = INTEGERS[tag].size * 8
    most = 2 ** (bits - 1) - 1 if tag is Tag.EXIT_CODE else 2**bits - 1
    for number in (0, 1, most):
        assert decode_fields(encode_field(tag, number), ANY_TAG).number(tag) == number
    with pytest.raises(ValueError, match="can't be"):
        encode_field(tag, most + 1)
    with pytest.raises(ProtocolViolation):
        decode_fields(encode_field(tag, b"123"), ANY_TAG).number(tag)


@given(st.binary(max_size=64), st.sampled_from(DECODERS))
def test_hostile_answers_raise_only_our_error(payload: bytes, decode: Callable[[bytes], object]) -> None:
    with contextlib.suppress(ProtocolViolation):
        decode(b"\x91" + payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x01",
        b"\x01\0\0\0",
        b"\x01\0\0\0\x05abcd",
        b"\x01\xff\xff\xff\xff",
        b"\0\0\0\0\0",
        encode_field(Tag.ID, "a") * 2,
        encode_field(Tag.TIMEOUT, 1),
    ],
)
def test_malformed_fields(payload: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        decode_fields(payload, frozenset({Tag.ID}))


def test_repeated_fields_keep_their_order() -> None:
    payload = encode_fields([(Tag.ARG, "b"), (Tag.ARG, ""), (Tag.ARG, b"\xff")])
    assert decode_fields(payload, ANY_TAG).all(Tag.ARG) == [b"b", b"", b"\xff"]


def test_attached_answer() -> None:
    body = b"\x91" + encode_fields([(Tag.OFFSET, 5), (Tag.NEXT, 9), (Tag.COLS, 80), (Tag.ROWS, 24), (Tag.INPUT, 3)])
    assert answers.decode_attached(body) == answers.Attached(5, 9, 80, 24, 3)
    with pytest.raises(ProtocolViolation):
        answers.decode_attached(body.replace(bytes(7) + b"\x05", bytes(7) + b"\x0a"))


def test_hello_of_another_version() -> None:
    fields: list[tuple[Tag, int | str]] = [
        (Tag.VERSION, 2),
        (Tag.HOSTNAME, "m"),
        (Tag.PID, 1),
        (Tag.FLAGS, 0),
    ]
    with pytest.raises(ProtocolViolation, match="version 2"):
        answers.decode_hello(b"\x90" + encode_fields(fields))


@pytest.mark.parametrize(
    "build",
    [
        lambda: requests.start(0),
        lambda: requests.start(requests.MAX_SECONDS + 1),
        lambda: requests.start(60, ring_bytes=1),
        lambda: requests.open_terminal("", ["sh"], cols=80, rows=24),
        lambda: requests.open_terminal("a/b", ["sh"], cols=80, rows=24),
        lambda: requests.open_terminal("a" * 65, ["sh"], cols=80, rows=24),
        lambda: requests.open_terminal("a\n", ["sh"], cols=80, rows=24),
        lambda: requests.open_terminal("a", [], cols=80, rows=24),
        lambda: requests.open_terminal("a", ["s\0h"], cols=80, rows=24),
        lambda: requests.open_terminal("a", ["sh"], cols=0, rows=24),
        lambda: requests.open_terminal("a", ["sh"], cols=80, rows=1001),
        lambda: requests.open_terminal("a", ["sh"], cols=80, rows=24, environment=["=x"]),
        lambda: requests.open_terminal("a", ["sh"], cols=80, rows=24, environment=["PATH"]),
        lambda: requests.open_terminal("a", ["sh"], cols=80, rows=24, directory="tmp"),
        lambda: requests.execute(["x" * 70_000]),
        lambda: requests.execute(["true"], timeout_ms=-1),
        lambda: requests.attach("a", window=1),
        lambda: requests.attach("a", window=1 << 30),
        lambda: requests.signal_terminal("a", 65),
        lambda: requests.deadline(0),
    ],
)
def test_requests_that_would_be_refused(build: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        build()


def test_command_keeps_bytes_that_are_not_text() -> None:
    request = requests.execute(["cat", "\udcff"], environment=[b"A=\xfe"], directory="/tmp")
    (frame,) = FrameParser(frozenset({FrameType.EXEC})).feed(request)
    fields = decode_fields(frame.payload, ANY_TAG)
    assert fields.all(Tag.ARG) == [b"cat", b"\xff"]
    assert fields.all(Tag.ENV) == [b"A=\xfe"]
    assert fields.data(Tag.CWD) == b"/tmp"
