"""A recording is read in pieces, by players that begin before they have all of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.recordings.models import Recording
from runtime.recording.asciicast import Cast, Position, header
from tests.support.asciicast import check_version_3
from tests.support.live_site import LiveSite
from tests.support.people import Person, assert_problem
from tests.support.recordings import download

BEGIN = 1_700_000_000_000
MIB = 1 << 20


def _cast(batches: int, text: str) -> Iterator[bytes]:
    cast = Cast(Position(at_ms=BEGIN))
    yield header(80, 24, BEGIN, "long") + cast.position.comment()
    for number in range(batches):
        cast.output(f"{number} {text}\r\n".encode(), BEGIN + number * 100)
        yield cast.batch()


def _write(path: Path, batches: int, text: str) -> bytes:
    with path.open("wb") as file:
        file.writelines(_cast(batches, text))
    return path.read_bytes()


@pytest.fixture
def path(recorded: Recording, site: LiveSite) -> Path:
    """Of the recording's file."""
    return site.data / "recordings" / f"{recorded.pk.hex}.cast"


def _address(recorded: Recording) -> str:
    return f"/sessions/{recorded.session_id}/recordings/{recorded.pk}/asciicast"


def test_ranges(recorded: Recording, path: Path, ann: Person) -> None:
    content = _write(path, 50, "words")
    size = len(content)
    for wanted, begin, end in (
        ("0-", 0, size),
        ("10-", 10, size),
        ("10-19", 10, 20),
        (f"{size - 1}-", size - 1, size),
        ("0-999999999999999", 0, size),
    ):
        answer = ann.api.get(_address(recorded), headers={"Range": f"bytes={wanted}"})
        assert answer.status_code == 206, wanted
        assert answer.content == content[begin:end], wanted
        assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
        assert answer.headers["content-length"] == str(end - begin)
    for wanted in ("bytes=-5", "bytes=1-2,5-6", "bytes=9-3", "bytes=a-", "lines=1-", f"bytes={'1' * 40}-"):
        answer = ann.api.get(_address(recorded), headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (200, content), wanted
    answer = ann.api.get(_address(recorded), headers={"Range": "bytes=5-", "If-Range": '"x"'})
    assert (answer.status_code, answer.content) == (200, content)
    for beyond in (size, size + 1):
        answer = ann.api.get(_address(recorded), headers={"Range": f"bytes={beyond}-"})
        assert_problem(answer, 416, "range_not_satisfiable")


def test_version_2_has_none(recorded: Recording, path: Path, ann: Person) -> None:
    _write(path, 50, "words")
    answer = ann.api.get(_address(recorded), params={"version": "2"}, headers={"Range": "bytes=5-"})
    assert answer.status_code == 200
    assert answer.content == download(ann, recorded, "2")
    assert "accept-ranges" not in answer.headers


def test_a_recording_that_grows_is_read_in_whole_batches(recorded: Recording, path: Path, ann: Person) -> None:
    batches = list(_cast(20, "words"))
    read = b""
    for number, batch in enumerate(batches):
        # Somebody is writing the next one.
        torn = batches[number + 1][:20] if number + 1 < len(batches) else b""
        with path.open("wb") as file:
            file.write(b"".join(batches[: number + 1]) + torn)
        answer = ann.api.get(_address(recorded), headers={"Range": f"bytes={len(read)}-"} if read else {})
        assert answer.status_code == (206 if read else 200)
        assert answer.content == batch
        read += answer.content
        assert_problem(
            ann.api.get(_address(recorded), headers={"Range": f"bytes={len(read)}-"}), 416, "range_not_satisfiable"
        )
    check_version_3(read)


def test_a_long_one_takes_no_memory(recorded: Recording, path: Path, site: LiveSite, ann: Person) -> None:
    content = _write(path, 100, "x" * MIB)
    assert len(content) > 100 * MIB
    before = site.memory("web")
    most = 0
    read = 0
    for version in ("3", "2"):
        with ann.api.stream("GET", _address(recorded), params={"version": version}) as answer:
            for piece in answer.iter_bytes():
                read += len(piece)
                if read % (10 * MIB) < len(piece):
                    most = max(most, site.memory("web"))
    assert read > 200 * MIB
    # Some lines of a megabyte each, in their forms; not the hundred that the file has.
    assert most - before < 40 * MIB
    assert json.loads(content[: content.index(b"\n")])["version"] == 3
