"""What is written of a terminal's output, however it arrives and wherever the writer is killed."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.recording.asciicast import Cast, Position, as_version_2, header, position_of
from runtime.recording.file import RecordingFile, Taken, lines, pieces, whole_bytes
from tests.support.asciicast import check_version_3, text_of

BEGIN = 1_700_000_000_000
HARD = (
    'é€𝄞 \x1b[31mred\x1b[0m \u2028 \x00 \x7f \\ " \r\n'.encode() + b"\xff\xe2\x82 \xf0\x9d\x84\xc3(" + "日本".encode()
)


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode), st.lists(st.integers(0, 1000), max_size=20))
def test_any_chunking_gives_the_same_text(data: bytes, cuts: list[int]) -> None:
    cast = Cast(Position())
    for number, piece in enumerate(_pieces(data, cuts)):
        cast.output(piece, number)
    cast.finish("exited", 1000)
    events = [json.loads(line) for line in cast.batch().split(b"\n") if line.startswith(b"[")]
    assert "".join(event[2] for event in events) == data.decode("utf-8", "replace")
    assert cast.position.offset == len(data)


def test_a_character_waits_for_its_end() -> None:
    cast = Cast(Position())
    cast.output("a€".encode()[:-1], 1)
    assert cast.position.offset == 1, "what is held is read again after a restart"
    cast.output("€".encode()[-1:], 2)
    assert cast.position.offset == 4
    assert [json.loads(line)[2] for line in cast.batch().split(b"\n")[:2]] == ["a", "€"]


def _record(path: Path, data: bytes, step: int, most: int = 10**9) -> None:
    """As a recorder does it: from where the file ends, at most `most` pieces."""
    with RecordingFile(path) as file:
        position = file.position or file.begin(80, 24, BEGIN, "test")
        cast = Cast(position)
        begin = position.offset
        for number, at in enumerate(range(begin, len(data), step)):
            if number == most:
                return
            cast.output(data[at : at + step], BEGIN + at)
            file.append(cast)
        if not position.end:
            cast.finish("exited", BEGIN + len(data), 0)
            file.append(cast)


def test_a_file_cut_at_any_byte_is_completed(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    _record(whole, HARD, 3)
    content = whole.read_bytes()
    assert text_of(content) == HARD.decode("utf-8", "replace")
    for cut in range(len(content) + 1):
        torn = tmp_path / "torn"
        torn.write_bytes(content[:cut])
        _record(torn, HARD, 3)
        check_version_3(torn.read_bytes())
        assert text_of(torn.read_bytes()) == text_of(content), cut


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 7), st.integers(0, 4), st.integers(0, 60)), max_size=12))
def test_killed_again_and_again(tmp_path_factory: pytest.TempPathFactory, lives: list[tuple[int, int, int]]) -> None:
    path = tmp_path_factory.mktemp("lives") / "cast"
    for step, most, torn in lives:
        _record(path, HARD, step, most)
        content = path.read_bytes()
        path.write_bytes(content[: max(0, len(content) - torn)])
    _record(path, HARD, 5)
    check_version_3(path.read_bytes())
    assert text_of(path.read_bytes()) == HARD.decode("utf-8", "replace")


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with RecordingFile(tmp_path / "cast"), pytest.raises(Taken), RecordingFile(tmp_path / "cast"):
        pass


def test_a_long_batch_is_found_behind_what_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "cast"
    _record(path, b"\0" * 200_000, 65_536)
    content = path.read_bytes()
    path.write_bytes(content[:-500_000])
    _record(path, b"\0" * 200_000, 65_536)
    assert text_of(path.read_bytes()) == "\0" * 200_000


def test_times_after_a_resume_are_those_of_the_clock(tmp_path: Path) -> None:
    cast = Cast(Position(at_ms=BEGIN))
    cast.output(b"a", BEGIN + 1500)
    later = Cast(cast.position)
    later.output(b"b", BEGIN + 61_500)
    later.output(b"c", BEGIN + 50_000)  # the clock was put back
    waits = [json.loads(line)[0] for line in (cast.batch() + later.batch()).split(b"\n") if line.startswith(b"[")]
    assert waits == [1.5, 60.0, 0.0]
    assert later.position.elapsed_ms == 61_500


def test_how_long_it_plays_with_pauses_cut() -> None:
    cast = Cast(Position(at_ms=BEGIN))
    for at in (500, 2500, 62_500, 62_500, 63_000):
        cast.output(b"a", BEGIN + at)
    assert cast.position.elapsed_ms == 63_000
    assert cast.position.played_ms == 500 + 2000 + 2000 + 500


def test_positions_of_the_oldest_files_are_read() -> None:
    assert position_of(b'# position [1,2,3,4,5,6,"full"]') == Position(1, 2, 3, 4, 5, 6, "full", played_ms=0)


GOLDEN = Path(__file__).parents[3] / "runtime/recording/golden"


def _golden() -> bytes:
    """A recording with all that one can have: every event, pauses, hard text, two writers."""
    first = Cast(Position(at_ms=BEGIN, cols=80, rows=24))
    head = header(80, 24, BEGIN, "golden \u2713") + first.position.comment()
    first.output(HARD, BEGIN + 250)
    first.output("split €".encode()[:-1], BEGIN + 300)
    batches = [head, first.batch()]
    second = Cast(first.position)
    second.output("€\r\n".encode(), BEGIN + 60_300)
    second.resize(100, 30, BEGIN + 60_400)
    second.gap(second.position.offset + 1000, BEGIN + 60_500)
    second.restore(b"\x1b[H\x1b[2J", BEGIN + 60_500)
    second.output(b"last words\r\n", BEGIN + 61_000)
    batches.append(second.batch())
    second.finish("complete", BEGIN + 61_500, 0)
    return b"".join([*batches, second.batch()])


def test_the_golden_recording() -> None:
    """The player's tests read the same file. `python -m tests.unit.recording.test_asciicast` writes it anew."""
    content = _golden()
    assert content == (GOLDEN / "recording.cast").read_bytes()
    assert text_of(content) == (GOLDEN / "output.txt").read_bytes().decode()
    check_version_3(content)


def test_sizes_gaps_and_the_end() -> None:
    cast = Cast(Position(offset=5, at_ms=BEGIN))
    cast.resize(80, 24, BEGIN)
    cast.resize(100, 30, BEGIN)
    cast.output(b"\xe2\x82", BEGIN)
    cast.gap(1005, BEGIN)
    cast.restore(b"\x1b[?1049h", BEGIN)
    cast.finish("exited", BEGIN, 130)
    *events, comment, _ = cast.batch().split(b"\n")
    assert [json.loads(event)[1:] for event in events] == [
        ["r", "100x30"],
        ["m", "Gap: 1000 bytes are missing here"],
        ["o", "\x1b[?1049h"],
        ["x", "130"],
    ]
    position = position_of(comment)
    assert position == Position(1005, BEGIN, 0, 100, 30, 1000, "exited") == cast.position


def test_version_2(tmp_path: Path) -> None:
    path = tmp_path / "cast"
    _record(path, HARD, 4)
    first, *events = [json.loads(line) for line in as_version_2(lines(path))]
    assert (first["version"], first["width"], first["height"], first["timestamp"]) == (2, 80, 24, BEGIN // 1000)
    assert "".join(data for _, code, data in events if code == "o") == HARD.decode("utf-8", "replace")
    times = [time for time, _, _ in events]
    assert times == sorted(times)
    assert {code for _, code, _ in events} == {"o"}


def test_only_whole_batches_are_read(tmp_path: Path) -> None:
    path = tmp_path / "cast"
    _record(path, b"hello", 5)
    content = path.read_bytes()
    path.write_bytes(content + b'[0.1, "o", "half of a ')
    assert b"".join(lines(path)) == content


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"# position",
        b"# position []",
        b'# position [1,2,3,4,5,-6,""]',
        b'# position [1,2,3,4,5,6,"",-7]',
        b'# position [1,2,3,4,5,6,7,""]',
        b"# position {",
        b"[1]",
    ],
)
def test_what_ends_no_batch(line: bytes) -> None:
    assert position_of(line) is None


def _offsets(content: bytes) -> list[int]:
    return [found.offset for line in content.split(b"\n") if (found := position_of(line)) is not None]


@pytest.mark.parametrize("offset", range(0, len(HARD) + 2, 3))
def test_rewinding(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "cast"
    _record(path, HARD, 5)
    before = path.read_bytes()
    with RecordingFile(path) as file:
        file.rewind(offset)
        assert file.position is not None
        assert file.size == path.stat().st_size
        assert file.position.offset == max(found for found in _offsets(before) if found <= offset)
    assert before.startswith(path.read_bytes())
    _record(path, HARD, 7)
    assert text_of(path.read_bytes()) == HARD.decode("utf-8", "replace")


def test_what_was_served_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "cast"
    served = b""
    for most in range(1, 20):
        _record(path, HARD, 2, most)
        path.write_bytes(path.read_bytes() + b'[0.1, "o", "half of a ')
        size = whole_bytes(path)
        served += b"".join(pieces(path, len(served), size))
        assert len(served) == size
    check_version_3(served)
    assert text_of(served) == HARD.decode("utf-8", "replace")


if __name__ == "__main__":
    (GOLDEN / "recording.cast").write_bytes(_golden())
    (GOLDEN / "output.txt").write_bytes(text_of(_golden()).encode())
