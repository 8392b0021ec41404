"""What somebody new is sent when the beginning of the output is gone, beside a terminal that saw all of it."""

import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.terminal import frames
from runtime.terminal.frames import FrameType
from runtime.terminal.requests import AttachFlag
from tests.support.drawing import Drawer
from tests.support.sandboxd import Connection, Daemon, make, wait_until
from tests.support.screens import Screen, screens_of

RING = 65_536
CUTS = 12
PROBE = b"\r\x1b[2J\x1b[HXq~\x1b[?7hY\x1b[999;1HA\nB\nC"
"""Shows what can't be asked for: look, character set, insertion, scroll region, origin."""


@pytest.fixture(scope="session")
def restore() -> Path:
    return make("inspect", "sanitized/restore")


def restored(restore: Path, file: Path, offset: int) -> tuple[int, bool, bytes]:
    """Where reading begins, whether the alternate screen is shown at the end, and what makes a terminal ready."""
    command = [restore, file, str(RING), str(offset)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    place, sequence = done.stdout.splitlines()
    begin, alternate = place.split()
    return int(begin), alternate == "1", bytes.fromhex(sequence)


def cut_title(title: str) -> str:
    """As much of it as is kept."""
    return title.encode()[:255].decode(errors="ignore") if len(title.encode()) >= 255 else title


def state(screen: Screen) -> dict[str, object]:
    """What has to be the same at once; what is drawn comes with a redraw."""
    return {name: screen[name] for name in ("kind", "hidden", "mouse", "modes")}


@pytest.mark.parametrize("seed", range(12))
def test_a_terminal_is_made_what_it_was(restore: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    drawer = Drawer(seed)
    stream = drawer.stream(4 * RING)
    file = tmp_path / "stream"
    file.write_bytes(stream)
    earliest = len(stream) - RING
    offsets = [earliest + chance.randrange(RING - 10_000) for _ in range(CUTS)]
    feeds, ends = [], []
    for offset in offsets:
        begin, alternate, sequence = restored(restore, file, offset)
        assert offset <= begin <= min(len(stream), offset + 8_200)
        dirty = stream[: chance.randrange(2000)]
        rest = stream[begin:] + drawer.screenful()
        feeds += [stream[:begin], dirty + sequence, stream[:begin] + PROBE, dirty + sequence + PROBE]
        feeds += [stream + rest[len(stream) - begin :], sequence + rest]
        ends.append(alternate)
    screens = screens_of(feeds)
    for index, offset in enumerate(offsets):
        before, after, probed, probed_after, whole, resumed = screens[6 * index : 6 * index + 6]
        assert state(after) == state(before), offset
        assert after["title"] == cut_title(before["title"]) or not before["title"], offset
        assert probed_after["lines"] == probed["lines"], offset
        assert resumed["lines"] == whole["lines"], offset
        assert resumed["cursor"] == whole["cursor"]
        assert state(resumed) == state(whole)
        assert ends[index] == (whole["kind"] == "alternate")


def test_lines_begin_with_a_whole_one(restore: Path, tmp_path: Path) -> None:
    stream = b"".join(b"\x1b[3%dmline %d\x1b[0m\r\n" % (number % 8, number) for number in range(20_000))
    file = tmp_path / "stream"
    file.write_bytes(stream)
    begin, alternate, sequence = restored(restore, file, len(stream) - RING + 3)
    assert stream[:begin].endswith(b"\n")
    assert not alternate
    assert sequence.endswith(b"\x1b[0m")
    whole, resumed = screens_of([stream, sequence + stream[begin:]])
    assert resumed == whole


@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"\x1b]0;", b"\x07"), (b"\x1bPq", b"\x1b\\"), (b"\x1b_G", b"\x1b\\"), (b"\x1b[", b"m"), (b"\x1b ", b"F")],
    ids=["OSC", "DCS", "APC", "CSI", "ESC"],
)
def test_a_cut_inside_a_sequence_without_end(restore: Path, tmp_path: Path, opening: bytes, closing: bytes) -> None:
    """Nothing of it is drawn, and nothing of it is done."""
    filling = b" " if opening == b"\x1b " else b"1"
    stream = b"\x1b]2;kept\x07" + opening + filling * (3 * RING) + closing + b"visible"
    file = tmp_path / "stream"
    file.write_bytes(stream)
    begin, _, sequence = restored(restore, file, len(stream) - RING)
    assert begin < len(stream) - RING + 10_000
    (resumed,) = screens_of([sequence + stream[begin:]])
    assert "".join(resumed["text"]).strip() == "visible"
    assert resumed["title"] == "kept"


def test_no_character_is_cut(restore: Path, tmp_path: Path) -> None:
    stream = "日本語äö👍".encode() * 8000
    file = tmp_path / "stream"
    file.write_bytes(stream)
    for offset in range(len(stream) - RING, len(stream) - RING + 16):
        begin, _, _ = restored(restore, file, offset)
        stream[begin:].decode()


@pytest.fixture
def small(daemon: Daemon) -> Iterator[Connection]:
    """A connection to a daemon whose rings are the smallest there are."""
    with daemon.started(ring_bytes=RING) as connection:
        yield connection


PAINTER = r"""
stty raw -echo
paint() { printf '\033[H\033[2Jpainted %s times, %s\r\n' $n "$(stty size)"; n=$((n+1)); }
n=0; trap paint WINCH
printf '\033[?1049h\033[?1002h\033]2;painter\007'; paint
i=0; while [ $i -lt 3000 ]; do printf '\033[5;5Hcounted to %d and somewhat further\033[K' $i; i=$((i+1)); done
printf '\033[7;1Hready'
while :; do read -t 1 line; done
"""
PAINTED = re.compile(rb"painted (\d+) times, ")


def test_a_program_is_asked_to_draw_again(daemon: Daemon, small: Connection) -> None:
    """Its first picture has left the ring: a new client sees all of the next one, at the same size."""
    small.open("a", ["bash", "-c", PAINTER])
    with daemon.connect() as first:
        first.attach("a", offset=0)
        painted = len(PAINTED.findall(first.output_until(b"ready")))
    for flags in (AttachFlag.NONE, AttachFlag.OBSERVE):
        with daemon.connect() as client:
            attached = client.attach("a", flags=flags)
            assert attached.offset > 0
            offset, sequence = frames.decode_restore(client.expect(FrameType.RESTORE).body)
            assert offset == attached.offset
            shown, painted = painted_anew(client, painted)
            (screen,) = screens_of([bytes(sequence) + shown + b"\r\n"])
        assert screen["kind"] == "alternate"
        assert screen["title"] == "painter"
        assert screen["modes"]["mouseTrackingMode"] == "drag"
        assert screen["text"][0].startswith("painted ")
        assert screen["text"][0].endswith("24 80")


def painted_anew(client: Connection, before: int) -> tuple[bytes, int]:
    """Output up to a whole picture of the usual size that is not one of so many before, and how many there are then.

    Where the host is slow, the program sees the size only when it is the usual one again.
    """
    shown = b""
    while True:
        shown += client.output_until(b" 24 80")
        times = max((int(number) for number in PAINTED.findall(shown)), default=-1) + 1
        if times > before:
            return shown, times


def test_a_shell_is_not_disturbed(daemon: Daemon, small: Connection) -> None:
    small.open(
        "a", ["bash", "-c", "trap 'echo RESIZED' WINCH; seq 1 30000; echo ready; while :; do read -t 0.1 x; done"]
    )
    with daemon.connect() as first:
        first.attach("a", offset=0)
        first.output_until(b"ready")
    with daemon.connect() as client:
        client.attach("a")
        client.expect(FrameType.RESTORE)
        client.output_until(b"ready")
        client.send(frames.encode_resize(81, 24))
        assert client.output_until(b"RESIZED").count(b"RESIZED") == 1


def test_many_who_come_back_have_it_drawn_once(daemon: Daemon, small: Connection) -> None:
    small.open("a", ["bash", "-c", PAINTER])
    with daemon.connect() as first:
        first.attach("a", offset=0)
        first.output_until(b"ready")
        clients = [daemon.connect() for _ in range(5)]
        for client in clients:
            client.attach("a")
        shown = first.output_until(b"24 80")
        for client in clients:
            client.close()
        assert shown.count(b"painted") <= 2
        wait_until(lambda: small.terminals()["a"].rows == 24, "the size is what it was")
