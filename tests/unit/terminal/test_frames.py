"""The frame codec: whatever the split, the same frames; whatever the bytes, no other error than ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ProtocolViolation
from runtime.terminal import frames
from runtime.terminal.frames import FROM_SANDBOXD, Frame, FrameParser, FrameType, encode_frame

FRAMES = st.lists(st.tuples(st.sampled_from(sorted(FROM_SANDBOXD)), st.binary(max_size=300)), max_size=8)


@given(FRAMES, st.data())
def test_any_split_gives_the_same_frames(sent: list[tuple[FrameType, bytes]], data: st.DataObject) -> None:
    stream = b"".join(encode_frame(frame_type, payload) for frame_type, payload in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    parser = FrameParser()
    got: list[Frame] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += parser.feed(stream[begin:end])
    assert [(frame.type, bytes(frame.payload)) for frame in got] == sent
    assert all(frame.body[0] == frame.type for frame in got)


def test_byte_by_byte() -> None:
    stream = encode_frame(FrameType.OUTPUT, bytes(8) + b"hello") * 3
    parser = FrameParser()
    got = [frame for byte in stream for frame in parser.feed(bytes((byte,)))]
    decoded = [frames.decode_output(frame.body) for frame in got]
    assert [(offset, bytes(data)) for offset, data in decoded] == [(0, b"hello")] * 3


@given(st.lists(st.binary(max_size=64), max_size=10))
def test_hostile_bytes_raise_only_our_error(chunks: list[bytes]) -> None:
    parser = FrameParser()
    try:
        for chunk in chunks:
            for frame in parser.feed(chunk):
                assert frame.type in FROM_SANDBOXD
    except ProtocolViolation:
        pass


@pytest.mark.parametrize("length", [0, frames.MAX_BODY + 1, 0xFFFFFFFF])
def test_lengths_out_of_range(length: int) -> None:
    with pytest.raises(ProtocolViolation):
        FrameParser().feed(length.to_bytes(4, "big"))


def test_longest_frame() -> None:
    (frame,) = FrameParser().feed(encode_frame(FrameType.STDOUT, bytes(frames.MAX_BODY - 1)))
    assert len(frame.body) == frames.MAX_BODY
    with pytest.raises(ValueError, match="longer"):
        encode_frame(FrameType.STDOUT, bytes(frames.MAX_BODY))


@pytest.mark.parametrize("frame_type", [0x7F, 0x80, 0xFF, FrameType.INPUT])
def test_types_that_sandboxd_never_sends(frame_type: int) -> None:
    with pytest.raises(ProtocolViolation):
        FrameParser().feed(bytes((0, 0, 0, 2, frame_type)))


def test_output_is_a_view_of_the_body() -> None:
    (frame,) = FrameParser().feed(encode_frame(FrameType.OUTPUT, (2**40).to_bytes(8, "big") + b"abc"))
    offset, data = frames.decode_output(frame.body)
    assert (offset, data.tobytes()) == (2**40, b"abc")
    assert data.obj is frame.body


@given(st.binary(max_size=40))
def test_decoders_raise_only_our_error(payload: bytes) -> None:
    for decode in (frames.decode_output, frames.decode_input_ack, frames.decode_gap, frames.decode_resized):
        try:
            decode(b"\x81" + payload)
        except ProtocolViolation:
            continue


@pytest.mark.parametrize(("cols", "rows"), [(0, 1), (1, 0), (1001, 1), (1, 1001), (-1, 5)])
def test_sizes_out_of_range(cols: int, rows: int) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        frames.encode_resize(cols, rows)


def test_input_is_never_empty_nor_too_long() -> None:
    for data in (b"", bytes(frames.MAX_DATA + 1)):
        with pytest.raises(ValueError, match="not allowed"):
            frames.encode_input(data)
        with pytest.raises(ValueError, match="not allowed"):
            frames.encode_input_at(0, data)
    assert frames.encode_stdin(b"") == b"\0\0\0\1\x08"


def test_wrapped_body_is_a_frame() -> None:
    assert frames.wrap_body(b"\0ls\r") == frames.encode_input(b"ls\r")
