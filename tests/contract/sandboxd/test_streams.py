"""Offsets, windows, gaps: what each client is sent, and what a slow one costs others."""

import time

import pytest

from runtime.terminal import frames, requests
from runtime.terminal.frames import FrameType
from tests.support.sandboxd import Connection, Daemon, wait_until

NUMBERS = "stty raw; i=0; while [ $i -lt 100000 ]; do printf '%09d ' $i; i=$((i+1)); done"
FLOOD = ["sh", "-c", "stty raw -echo; exec cat /dev/zero"]
FLOOD_AFTER_A_KEY = ["sh", "-c", "stty raw -echo; head -c 1 >/dev/null; exec cat /dev/zero"]


def test_attach_at_any_offset(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["sh", "-c", "printf 0123456789; read x"])
    wait_until(lambda: host.terminals()["a"].next_offset == 10, "all is written")
    for offset in (0, 1, 9, 10):
        with daemon.connect() as client:
            attached = client.attach("a", offset=offset)
            assert (attached.offset, attached.next_offset) == (offset, 10)
            if offset < 10:
                assert client.output_until(b"9") == b"0123456789"[offset:]
            else:
                assert not client.has_frame()
    for offset in (11, 2**64 - 1):
        refused = host.refusal(requests.attach("a", window=4096, offset=offset))
        assert refused.code == "bad_offset"
    assert host.attach("a").offset == 0, "the connection goes on"


def test_resumed_output_is_complete(daemon: Daemon, host: Connection) -> None:
    """A client that comes back again and again with its offset gets every byte once."""
    host.open("a", ["sh", "-c", "stty raw; seq -f %07.0f 1 100000; read x"])
    got, offset = bytearray(), 0
    while len(got) < 800_000:
        with daemon.connect() as client:
            attached = client.attach("a", offset=offset)
            assert attached.offset == offset
            frame = client.expect(FrameType.OUTPUT)
            begin, data = frames.decode_output(frame.body)
            assert begin == offset
            got += data
            offset += len(data)
            client.send(frames.encode_ack(offset))
    assert got == b"".join(b"%07d\n" % number for number in range(1, 100_001))


@pytest.mark.parametrize("window", [4096, 65_536, 200_000, 16 << 20])
def test_no_more_than_the_window_is_sent(daemon: Daemon, host: Connection, window: int) -> None:
    host.open("a", FLOOD_AFTER_A_KEY)
    bound = min(window, 1 << 20)
    with daemon.connect() as client:
        client.attach("a", window=window, offset=0)
        client.send(frames.encode_input(b"x"))
        received = _receive(client, 0, bound)
        time.sleep(0.05)  # there is nothing to wait for: nothing may come
        assert not client.has_frame()
        assert host.terminals()["a"].next_offset == bound, "the program waits"
        client.send(frames.encode_ack(1000))
        assert _receive(client, received, received + 1000) == bound + 1000
        assert not client.has_frame()


def _receive(client: Connection, at: int, end: int) -> int:
    """Reads output that must be continuous, up to the offset `end`."""
    while at < end:
        offset, data = frames.decode_output(client.expect(FrameType.OUTPUT).body)
        assert offset == at
        at += len(data)
    assert at == end
    return at


def test_without_clients_the_program_runs_on(host: Connection) -> None:
    host.open("a", FLOOD)
    wait_until(lambda: host.terminals()["a"].next_offset > 20 << 20, "the ring was written over many times")
    listed = host.terminals()["a"]
    assert listed.next_offset - listed.oldest_offset == 1 << 20


def test_an_observer_holds_nobody_back(daemon: Daemon, host: Connection) -> None:
    host.open("a", FLOOD)
    with daemon.connect() as observer:
        observer.attach("a", window=4096, flags=requests.AttachFlag.OBSERVE)
        wait_until(lambda: host.terminals()["a"].next_offset > 8 << 20, "the program runs on")


def test_a_gap_is_told(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["sh", "-c", "stty raw; seq -f %07.0f 1 300000; read x"])
    wait_until(lambda: host.terminals()["a"].next_offset == 2_400_000, "all is written")
    oldest = host.terminals()["a"].oldest_offset
    attached = host.attach("a", offset=8, window=16 << 20)
    assert oldest <= attached.offset <= oldest + 65_536 + 8, "the beginning of a line"
    assert frames.decode_gap(host.expect(FrameType.GAP).body) == (8, attached.offset)
    offset, _ = frames.decode_restore(host.expect(FrameType.RESTORE).body)
    assert offset == attached.offset
    offset, data = frames.decode_output(host.expect(FrameType.OUTPUT).body)
    assert offset == attached.offset
    number, rest = divmod(offset, 8)
    assert rest == 0
    assert bytes(data[:8]) == b"%07d\n" % (number + 1)


def test_what_is_still_there_is_continued_from_any_byte(daemon: Daemon, host: Connection) -> None:
    """Whoever has seen what was before needs no beginning."""
    host.open("a", ["sh", "-c", "stty raw; seq -f %07.0f 1 300000; read x"])
    wait_until(lambda: host.terminals()["a"].next_offset == 2_400_000, "all is written")
    oldest = host.terminals()["a"].oldest_offset
    with daemon.connect() as client:
        assert client.attach("a", offset=oldest + 3).offset == oldest + 3
        offset, _ = frames.decode_output(client.expect(FrameType.OUTPUT).body)
        assert offset == oldest + 3


def test_a_slow_client_falls_behind_a_fast_one(daemon: Daemon, host: Connection) -> None:
    host.open("a", FLOOD_AFTER_A_KEY)
    with daemon.connect() as slow, daemon.connect() as fast:
        slow.attach("a", window=65_536)
        slow.send(frames.encode_input(b"x"))
        at = fast.attach("a", window=1 << 20).offset
        while at < 8 << 20:
            offset, data = frames.decode_output(fast.expect(FrameType.OUTPUT).body)
            assert offset == at, "the fast one misses nothing"
            at += len(data)
            fast.send(frames.encode_ack(at))
        position, end = 0, 0
        while not end:
            frame = slow.frame()
            assert frame is not None
            if frame.type == FrameType.GAP:
                begin, end = frames.decode_gap(frame.body)
                assert begin == position
                assert end > 1 << 20
                continue
            offset, data = frames.decode_output(frame.body)
            assert offset == position
            position += len(data)
            assert position <= 131_072, "a window, and one more after the first acknowledgement"
            slow.send(frames.encode_ack(position))
        slow.send(frames.encode_ack(end))
        assert frames.decode_restore(slow.expect(FrameType.RESTORE).body)[0] == end
        offset, data = frames.decode_output(slow.expect(FrameType.OUTPUT).body)
        assert offset == end


def test_gaps_do_not_widen_the_window(daemon: Daemon, host: Connection) -> None:
    host.open("a", FLOOD_AFTER_A_KEY)
    with daemon.connect() as slow, daemon.connect() as fast:
        slow.attach("a", window=65_536)
        slow.send(frames.encode_input(b"x"))
        _receive(slow, 0, 65_536)
        at = fast.attach("a", window=1 << 20).offset
        while at < 4 << 20:
            offset, data = frames.decode_output(fast.expect(FrameType.OUTPUT).body)
            at = offset + len(data)
            fast.send(frames.encode_ack(at))
        slow.send(frames.encode_ack(10_000))
        _, end = frames.decode_gap(slow.expect(FrameType.GAP).body)
        slow.expect(FrameType.RESTORE)
        _receive(slow, end, end + 10_000)
        assert not slow.has_frame()
        slow.send(frames.encode_ack(end + 10_000))
        assert slow.frame() is not None, "it goes on, after another gap if the ring has moved since"


def test_acks_that_make_no_sense(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["sh", "-c", "printf 0123456789; read x"])
    wait_until(lambda: host.terminals()["a"].next_offset == 10, "all is written")
    with daemon.connect() as client:
        client.attach("a", offset=5)
        client.output_until(b"9")
        client.send(frames.encode_ack(3))
        client.send(frames.encode_ack(10))
        assert client.refusal(frames.encode_ack(11)).code == "protocol"
        client.expect_end()
    assert not host.terminals()["a"].exited


def test_a_client_that_never_reads_costs_no_memory(daemon: Daemon, host: Connection) -> None:
    host.open("a", FLOOD)
    with daemon.connect() as slow, daemon.connect() as fast:
        slow.attach("a", window=16 << 20)
        at = fast.attach("a", window=1 << 20).offset
        before = None
        while at < 64 << 20:
            offset, data = frames.decode_output(fast.expect(FrameType.OUTPUT).body)
            at = offset + len(data)
            fast.send(frames.encode_ack(at))
            if before is None and at > 4 << 20:
                before = daemon.resident_kib()
        assert before is not None
        assert daemon.resident_kib() - before < 256


def test_memory_of_a_client_is_given_back(daemon: Daemon, host: Connection) -> None:
    host.open("a", FLOOD)
    wait_until(lambda: host.terminals()["a"].next_offset > 2 << 20, "the ring is in use")
    before = daemon.resident_kib()
    for _ in range(3):
        clients = [daemon.connect() for _ in range(40)]
        for client in clients:
            client.attach("a", window=16 << 20)
        for client in clients:
            client.close()
    wait_until(lambda: daemon.resident_kib() - before < 128, "all is given back")


def test_offsets_stay_right_when_output_is_cut_anywhere(daemon: Daemon, host: Connection) -> None:
    """Small receive steps make the daemon send parts of frames while the ring moves on."""
    host.open("a", ["sh", "-c", NUMBERS])
    with daemon.connect() as fast, daemon.connect() as slow:
        slow.attach("a", window=16 << 20, offset=0)
        at = fast.attach("a", window=1 << 20, offset=0).offset
        while at < 1_000_000:
            offset, data = frames.decode_output(fast.expect(FrameType.OUTPUT).body)
            at = offset + len(data)
            fast.send(frames.encode_ack(at))
        while (frame := slow.frame()) is not None:
            if frame.type == FrameType.EXIT:
                break
            if frame.type == FrameType.OUTPUT:
                offset, data = frames.decode_output(frame.body)
                whole = b"".join(b"%09d " % number for number in range(offset // 10, (offset + len(data)) // 10 + 1))
                assert whole[offset % 10 : offset % 10 + len(data)] == data
                slow.send(frames.encode_ack(offset + len(data)))


@pytest.mark.parametrize(("asked", "kept"), [(65_536, 65_536), (65_537, 131_072), (3_000_000, 4 << 20)])
def test_size_of_the_ring(daemon: Daemon, asked: int, kept: int) -> None:
    with daemon.started(ring_bytes=asked) as host:
        host.open("a", FLOOD)
        wait_until(lambda: host.terminals()["a"].next_offset > 8 << 20, "the ring was written over")
        listed = host.terminals()["a"]
        assert listed.next_offset - listed.oldest_offset == kept


def test_many_terminals_flood_at_once(daemon: Daemon, host: Connection) -> None:
    """Each client gets its share, and a request its answer, while many programs write all they can."""
    for number in range(20):
        host.open(f"t{number}", FLOOD)
    clients = [daemon.connect() for _ in range(5)]
    try:
        for number, client in enumerate(clients):
            client.attach(f"t{number}", window=65_536)
        for client in clients:
            total = 0
            while total < 200_000:
                offset, data = frames.decode_output(_output(client))
                total += len(data)
                client.send(frames.encode_ack(offset + len(data)))
        assert len(host.terminals()) == 20
    finally:
        for client in clients:
            client.close()


def _output(client: Connection) -> bytes:
    """The next OUTPUT; a GAP on the way is acknowledged."""
    while True:
        frame = client.frame()
        assert frame is not None
        if frame.type == FrameType.OUTPUT:
            return frame.body
        if frame.type == FrameType.GAP:
            client.send(frames.encode_ack(frames.decode_gap(frame.body)[1]))
