"""INPUT and INPUT_AT: nothing lost, nothing doubled, never behind output."""

import contextlib
import hashlib

import pytest

from runtime.terminal import answers, frames, requests
from runtime.terminal.frames import FrameType, encode_frame
from tests.support.sandboxd import Connection, Daemon, alive, wait_until

RAW_CAT = ["sh", "-c", "stty raw -echo; printf ready; exec cat"]


def test_ctrl_c_under_flood(host: Connection) -> None:
    pid = host.open("a", ["sh", "-c", "exec cat /dev/zero"])
    host.attach("a", window=1 << 20)
    host.expect(FrameType.OUTPUT)
    host.send(frames.encode_input(b"\x03"))
    wait_until(lambda: not alive(pid), "Ctrl-C ends it, though nobody reads its output")
    _, status = host.output_to_exit()
    assert status.signal == 2


def test_ctrl_c_while_the_window_is_closed(host: Connection) -> None:
    pid = host.open("a", ["sh", "-c", "exec cat /dev/zero"])
    host.attach("a", window=4096)
    host.expect(FrameType.OUTPUT)
    host.send(frames.encode_input(b"\x03"))
    wait_until(lambda: not alive(pid), "Ctrl-C ends it")


def test_large_input_arrives_whole(daemon: Daemon, host: Connection) -> None:
    """More than every buffer on the way, to a program that reads slowly."""
    host.open("a", ["sh", "-c", "stty raw -echo; printf ready; sleep 0.2; head -c 1000000 | md5sum"])
    host.attach("a")
    host.output_until(b"ready")
    data = b"".join(b"%09d\n" % number for number in range(100_000))
    for begin in range(0, len(data), 65_536):
        host.send(frames.encode_input(data[begin : begin + 65_536]))
    output, _ = host.output_to_exit()

    assert output.split()[0].decode() == hashlib.md5(data).hexdigest()


def test_input_that_nobody_reads_stops_only_its_client(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["sh", "-c", "stty raw -echo; printf ready; sleep 600"])
    with daemon.connect() as pusher:
        pusher.attach("a")
        pusher.output_until(b"ready")
        pusher.send_until_full(frames.encode_input(bytes(65_536)))
        before = daemon.resident_kib()
        assert host.terminals()["a"].next_offset == 5
        assert before < 30_000
    wait_until(lambda: len(host.terminals()) == 1, "others are served")


# Prints more than any window before it reads a byte, then says how much it read.
TALKS_FIRST = "stty raw -echo; printf ready; sleep 0.2; head -c 3000000 /dev/zero; head -c {size} | md5sum; read x"


@pytest.mark.parametrize("size", [100_000, 250_000, 2_000_000])
def test_a_paste_before_the_program_reads(daemon: Daemon, host: Connection, size: int) -> None:
    """Acknowledgements are sent behind the paste, and the program waits for them: nobody may wait for ever."""
    host.open("a", ["sh", "-c", TALKS_FIRST.format(size=size)])
    host.attach("a", window=65_536)
    host.output_until(b"ready")
    data = (b"%09d\n" * (size // 10)) % tuple(range(size // 10))
    paste = b"".join(frames.encode_input(data[begin : begin + 60_000]) for begin in range(0, size, 60_000))
    got, expected = bytearray(), hashlib.md5(data).hexdigest().encode()
    host.socket.settimeout(0.01)
    while expected not in got:
        paste = _send_some(host, paste)
        with contextlib.suppress(TimeoutError):
            frame = host.frame()
            assert frame is not None
            if frame.type == FrameType.OUTPUT:
                offset, output = frames.decode_output(frame.body)
                got += output
                paste += frames.encode_ack(offset + len(output))
        del got[:-100]


def _send_some(client: Connection, data: bytes) -> bytes:
    """What the socket did not take."""
    with contextlib.suppress(TimeoutError, BlockingIOError):
        return data[client.socket.send(data) :] if data else data
    return data


@pytest.mark.parametrize("kind", ["resize", "ack"])
def test_what_is_no_input_passes_waiting_input(host: Connection, kind: str) -> None:
    script = "stty raw -echo; trap 'stty size; exit' WINCH; printf ready; while :; do sleep 0.05; done"
    host.open(
        "a", ["sh", "-c", script if kind == "resize" else "stty raw -echo; printf ready; sleep 0.2; cat /dev/zero"]
    )
    host.attach("a", window=4096, client=1)
    host.output_until(b"ready")
    for number in range(5):
        host.send(frames.encode_input_at(number * 40_000, bytes(40_000)))
    if kind == "resize":
        host.send(frames.encode_resize(99, 33))
        assert b"33 99" in host.output_to_exit()[0]
    else:
        total = 5
        while total < 100_000:
            frame = host.frame()
            assert frame is not None
            if frame.type == FrameType.OUTPUT:
                offset, data = frames.decode_output(frame.body)
                total = offset + len(data)
                host.send(frames.encode_ack(total))


def test_waiting_input_of_an_ended_program(host: Connection) -> None:
    """A client whose input waits for room learns of the end of the program that would not read it."""
    host.open("a", ["sh", "-c", "stty raw -echo; printf ready; sleep 0.4; head -c 100000 /dev/zero; exit 6"])
    host.attach("a", window=4096)
    host.output_until(b"ready")
    for _ in range(4):
        host.send(frames.encode_input(bytes(60_000)))
    output, status = host.output_to_exit()
    assert (len(output), status.exit_code) == (100_000, 6)


def test_input_at_counts(daemon: Daemon, host: Connection) -> None:
    host.open("a", RAW_CAT)
    attached = host.attach("a", client=77)
    assert attached.input_accepted == 0
    host.output_until(b"ready")
    host.send(frames.encode_input_at(0, b"abc"))
    assert _accepted(host, 3)
    host.send(frames.encode_input_at(0, b"abc"))  # again: nothing new
    host.send(frames.encode_input_at(1, b"bcde"))  # overlap: two are new
    host.send(frames.encode_input_at(5, b"f"))
    assert _accepted(host, 6)
    with daemon.connect() as other:
        assert other.attach("a", client=77, offset=5).input_accepted == 6
        assert other.output_until(b"f") == b"abcdef"
        refused = other.refusal(frames.encode_input_at(7, b"x"))
        assert refused.code == "bad_offset"
        other.expect_end()
    with daemon.connect() as third:
        assert third.attach("a", client=78).input_accepted == 0
        third.send(frames.encode_input_at(0, b"g"))
        assert third.output_until(b"g").endswith(b"abcdefg")


def _accepted(client: Connection, count: int) -> bool:
    """Reads frames until that many input bytes were acknowledged."""
    while True:
        frame = client.frame()
        assert frame is not None
        if frame.type == FrameType.INPUT_ACK:
            accepted = frames.decode_input_ack(frame.body)
            assert accepted <= count
            if accepted == count:
                return True


def test_input_is_acknowledged_without_any_output(host: Connection) -> None:
    host.open("a", ["sh", "-c", "stty raw -echo; printf ready; sleep 600"])
    host.attach("a", client=1)
    host.output_until(b"ready")
    host.send(frames.encode_input_at(0, b"unseen"))
    assert _accepted(host, 6)


def test_a_client_that_reconnects_all_the_time_loses_and_doubles_nothing(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["sh", "-c", "stty raw -echo; printf ready; head -c 60000 | md5sum; read x"])
    host.attach("a")
    host.output_until(b"ready")
    data = b"".join(b"%05d\n" % number for number in range(10_000))
    accepted, connections = 0, 0
    while accepted < len(data):
        connections += 1
        with daemon.connect() as client:
            accepted = client.attach("a", client=5).input_accepted
            for begin in range(accepted, min(accepted + 9_000, len(data)), 700):
                client.send(frames.encode_input_at(begin, data[begin : begin + 700]))
            if connections % 2 and accepted < len(data):
                _first_ack(client)  # every other time it is gone before anything is acknowledged
    assert hashlib.md5(data).hexdigest().encode() in host.output_until(b"-")


def _first_ack(client: Connection) -> None:
    while (frame := client.frame()) is not None and frame.type != FrameType.INPUT_ACK:
        pass


def test_sixteen_clients_are_remembered(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["cat"])
    for number in range(1, 18):
        with daemon.connect() as client:
            client.attach("a", client=number)
            client.send(frames.encode_input_at(0, b"x"))
            assert _accepted(client, 1)
    with daemon.connect() as client:
        assert client.attach("a", client=17).input_accepted == 1
    with daemon.connect() as client:
        assert client.attach("a", client=2).input_accepted == 1
    with daemon.connect() as client:
        assert client.attach("a", client=1).input_accepted == 0, "the oldest was forgotten"


def test_clients_that_are_attached_are_not_forgotten(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["cat"])
    clients = [daemon.connect() for _ in range(16)]
    try:
        for number, client in enumerate(clients, 1):
            client.attach("a", client=number)
        with daemon.connect() as client:
            assert client.refusal(requests.attach("a", window=4096, client=99)).code == "busy"
            client.attach("a", client=16)
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize(
    "frame",
    [frames.encode_input(b"x"), frames.encode_input_at(0, b"x"), frames.encode_resize(10, 10)],
)
def test_observers_only_look(daemon: Daemon, host: Connection, frame: bytes) -> None:
    host.open("a", ["cat"])
    with daemon.connect() as observer:
        observer.attach("a", client=3, flags=requests.AttachFlag.OBSERVE)
        assert observer.refusal(frame).code == "forbidden"
        observer.expect_end()
    refused = requests.attach("a", window=4096, flags=requests.AttachFlag.OBSERVE, size=(10, 10))
    assert host.refusal(refused).code == "forbidden"
    listed = host.terminals()["a"]
    assert (listed.next_offset, listed.cols) == (0, 80)


@pytest.mark.parametrize(
    "frame",
    [
        encode_frame(FrameType.INPUT),
        encode_frame(FrameType.INPUT, bytes(65_537)),
        encode_frame(FrameType.INPUT_AT, bytes(7)),
        encode_frame(FrameType.INPUT_AT, bytes(8)),
        encode_frame(FrameType.INPUT_AT, bytes(8 + 65_537)),
        encode_frame(FrameType.RESIZE, b"\0\1\0"),
        encode_frame(FrameType.RESIZE, b"\0\0\0\1"),
        encode_frame(FrameType.RESIZE, b"\3\xe9\0\1"),
        encode_frame(FrameType.ACK, bytes(7)),
        encode_frame(FrameType.STDIN, b"x"),
        encode_frame(FrameType.KILL, b"\0\0\0\t"),
        requests.list_terminals(),
        requests.start(60),
    ],
)
def test_violations_end_one_connection(daemon: Daemon, host: Connection, frame: bytes) -> None:
    host.open("a", ["cat"])
    with daemon.connect() as client:
        client.attach("a", client=4)
        refused = client.refusal(frame)
        assert refused.code == "protocol"
        assert refused.message
        client.expect_end()
    assert not host.terminals()["a"].exited


def test_input_at_needs_a_client(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["cat"])
    host.attach("a")
    assert host.refusal(frames.encode_input_at(0, b"x")).code == "protocol"


def test_input_after_the_end_is_no_error(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["sh", "-c", "stty raw; head -c 300000 /dev/zero"])
    with daemon.connect() as client:
        client.attach("a", window=4096)
        client.send(frames.encode_input(b"early"))
        wait_until(lambda: host.terminals()["a"].next_offset >= 4096, "the window is full")
        client.send(frames.encode_input(b"typed ahead"))
        output, status = client.output_to_exit()
        assert len(output) >= 290_000
        assert status == answers.ExitStatus(0, 0)
