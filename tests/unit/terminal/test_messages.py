"""The codec of the browser's socket, against the golden messages that the page's tests read too."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.terminal import frames, messages
from runtime.terminal.frames import MAX_DATA
from runtime.terminal.messages import BadMessage, MessageType, ack_offset, check_message, encode_json, notice

GOLDEN: dict[str, Any] = json.loads(
    (Path(messages.__file__).parent / "golden" / "messages.json").read_text(encoding="utf-8")
)


def _named(part: str) -> Any:
    return pytest.mark.parametrize("golden", GOLDEN[part], ids=[golden["name"] for golden in GOLDEN[part]])


@_named("to_server")
def test_a_good_message_passes_as_it_is(golden: dict[str, Any]) -> None:
    body = bytes.fromhex(golden["hex"])
    assert check_message(body) == golden["type"]
    if golden["type"] == MessageType.ACK:
        assert ack_offset(body) == golden["offset"]


@_named("to_server")
def test_sandboxd_knows_it_by_the_same_bytes(golden: dict[str, Any]) -> None:
    encoded = {
        MessageType.INPUT: lambda: frames.encode_input(bytes.fromhex(golden["data_hex"])),
        MessageType.RESIZE: lambda: frames.encode_resize(golden["cols"], golden["rows"]),
        MessageType.ACK: lambda: frames.encode_ack(golden["offset"]),
        MessageType.INPUT_AT: lambda: frames.encode_input_at(golden["offset"], bytes.fromhex(golden["data_hex"])),
    }
    assert encoded[MessageType(golden["type"])]() == frames.wrap_body(bytes.fromhex(golden["hex"]))


@_named("to_client")
def test_what_the_client_gets(golden: dict[str, Any]) -> None:
    body = bytes.fromhex(golden["hex"])
    assert body[0] == golden["type"]
    if "json" in golden:
        assert encode_json(MessageType(golden["type"]), golden["json"]) == body
    elif golden["type"] == MessageType.OUTPUT:
        assert frames.decode_output(body) == (golden["offset"], bytes.fromhex(golden["data_hex"]))
    elif golden["type"] == MessageType.RESTORE:
        assert frames.decode_restore(body) == (golden["offset"], bytes.fromhex(golden["data_hex"]))
    else:
        assert frames.decode_input_ack(body) == golden["offset"]


def test_every_type_has_an_example() -> None:
    assert {golden["type"] for part in ("to_server", "to_client") for golden in GOLDEN[part]} == set(MessageType)


def test_a_notice_is_its_type_and_content() -> None:
    assert notice("gap", **{"from": 10, "to": 99}).hex() in {golden["hex"] for golden in GOLDEN["to_client"]}


@_named("refused_from_client")
def test_a_bad_message_is_refused_in_words(golden: dict[str, Any]) -> None:
    with pytest.raises(BadMessage, match=r"\w+ .+\.$"):
        check_message(bytes.fromhex(golden["hex"]))


@pytest.mark.parametrize("size", [MAX_DATA, MAX_DATA + 1])
def test_the_largest_input(size: int) -> None:
    for body in (b"\x00" + bytes(size), b"\x03" + bytes(8) + bytes(size)):
        if size > MAX_DATA:
            with pytest.raises(BadMessage):
                check_message(body)
        else:
            frames.wrap_body(body)
            assert check_message(body) == body[0]


@given(st.binary(max_size=64))
def test_anything_is_refused_or_fits_a_frame(body: bytes) -> None:
    """Whatever passes here, sandboxd accepts while attached."""
    try:
        kind = check_message(body)
    except BadMessage:
        return
    assert kind in {MessageType.INPUT, MessageType.RESIZE, MessageType.ACK, MessageType.INPUT_AT}
    parsed = frames.FrameParser(frames.TO_SANDBOXD).feed(frames.wrap_body(body))
    assert [frame.body for frame in parsed] == [body]
