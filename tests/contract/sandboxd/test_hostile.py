"""Bytes that are no protocol, connections that misbehave: each harms itself alone."""

import os
import random
import socket

import pytest

from runtime.terminal import frames, requests
from runtime.terminal.fields import Tag, encode_field
from runtime.terminal.frames import FROM_SANDBOXD, FrameType, encode_frame
from tests.support.sandboxd import Connection, Daemon, wait_until


@pytest.fixture(autouse=True)
def bystander(daemon: Daemon, host: Connection) -> None:
    """Somebody who must not notice anything: checked after each test."""
    host.open("bystander", ["cat"])


@pytest.fixture(autouse=True)
def _unharmed(daemon: Daemon, host: Connection, bystander: None) -> object:
    yield
    assert not host.terminals()["bystander"].exited


@pytest.mark.parametrize(
    "data",
    [
        bytes(4),
        b"\x00\x01\x00\x42",
        b"\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00\x00\x01\x7f",
        b"\x00\x00\x00\x01\x80",
        *(encode_frame(frame_type) for frame_type in sorted(FROM_SANDBOXD)),
        frames.encode_input(b"x"),
        frames.encode_input_at(0, b"x"),
        frames.encode_resize(80, 24),
        frames.encode_ack(0),
        frames.encode_stdin(b"x"),
        frames.encode_kill(9),
        encode_frame(FrameType.LIST, b"\0"),
        encode_frame(FrameType.CLOSE),
        encode_frame(FrameType.CLOSE, encode_field(Tag.ID, "../a")),
        encode_frame(FrameType.ATTACH, encode_field(Tag.ID, "a") + encode_field(Tag.WINDOW, 4095)),
        encode_frame(
            FrameType.ATTACH,
            encode_field(Tag.ID, "a") + encode_field(Tag.WINDOW, 4096) + encode_field(Tag.COLS, 80),
        ),
        encode_frame(FrameType.EXEC, encode_field(Tag.ARG, "true") + encode_field(Tag.FLAGS, 8)),
        encode_frame(FrameType.DEADLINE, encode_field(Tag.SECONDS, 0)),
        encode_frame(FrameType.DEADLINE, encode_field(Tag.SECONDS, 2**64 - 1)),
    ],
)
def test_violations(daemon: Daemon, data: bytes) -> None:
    with daemon.connect() as client:
        assert client.refusal(data).code == "protocol"
        client.expect_end()


def test_what_arrives_after_an_error_is_ignored(daemon: Daemon, host: Connection) -> None:
    with daemon.connect() as client:
        client.send(bytes(4) + requests.execute(["touch", "/tmp/never"]) + bytes(300_000))
        assert client.refusal().code == "protocol"
        client.expect_end()


def test_every_frame_may_come_byte_by_byte(daemon: Daemon, host: Connection) -> None:
    with daemon.connect() as client:
        for byte in requests.open_terminal("slow", ["cat"], cols=80, rows=24):
            client.send(bytes((byte,)))
        client.expect(FrameType.OK)
        for byte in requests.attach("slow", window=4096, client=9):
            client.send(bytes((byte,)))
        client.expect(FrameType.OK)
        for byte in frames.encode_input_at(0, b"hello\n"):
            client.send(bytes((byte,)))
        assert client.output_until(b"hello\r\nhello\r\n")


def test_many_requests_in_one_write(daemon: Daemon, host: Connection) -> None:
    with daemon.connect() as client:
        client.send(requests.list_terminals() * 2000)
        for _ in range(2000):
            client.expect(FrameType.OK)


def test_requests_whose_answers_nobody_reads(daemon: Daemon, host: Connection) -> None:
    """Answers are not collected: the connection is not read until they are taken."""
    for number in range(50):
        host.open(f"t{number}", ["true"])
    before = daemon.resident_kib()
    with daemon.connect() as client:
        client.send_until_full(requests.list_terminals() * 1000)
        assert daemon.resident_kib() - before < 400


def test_half_a_frame_and_gone(daemon: Daemon, host: Connection) -> None:
    whole = requests.open_terminal("never", ["cat"], cols=80, rows=24)
    for length in range(0, len(whole), 7):
        with daemon.connect() as client:
            client.send(whole[:length])
    assert set(host.terminals()) == {"bystander"}


def test_a_half_closed_connection_is_lost(daemon: Daemon) -> None:
    with daemon.connect() as client:
        client.attach("bystander")
        client.socket.shutdown(socket.SHUT_WR)
        client.expect_end()
    with daemon.connect() as client:
        client.attach("bystander")
        client.socket.shutdown(socket.SHUT_RD)
        client.send(frames.encode_input(b"x\n"))


def test_gone_while_its_command_starts(daemon: Daemon, host: Connection) -> None:
    for _ in range(50):
        with daemon.connect() as client:
            client.send(requests.execute(["sleep", "600"]))
        with daemon.connect() as client:
            client.send(requests.open_terminal("short", ["sleep", "600"], cols=80, rows=24))
        with daemon.connect() as client:
            client.send(requests.close_terminal("short"))
    wait_until(lambda: _children(daemon) <= 2, "no command is left")
    host.send(requests.close_terminal("short"))
    host.frame()


def _children(daemon: Daemon) -> int:
    with open(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children") as file:  # noqa: PTH123
        return len(file.read().split())


def test_descriptors_are_given_back(daemon: Daemon, host: Connection) -> None:
    def count() -> int:
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))  # noqa: PTH208

    before = count()
    for number in range(30):
        with daemon.connect() as client:
            client.open(f"t{number}", ["true"])
            client.attach(f"t{number}")
            client.output_to_exit()
            client.expect_end()
        with daemon.connect() as client:
            client.ask(requests.execute(["true"]))
            client.result()
        with daemon.connect() as client:
            client.refusal(requests.execute(["no-such"]))
            client.refusal(requests.open_terminal("x", ["no-such"], cols=1, rows=1))
            client.ask(requests.close_terminal(f"t{number}"))
    wait_until(lambda: count() <= before, "as many as before")


def test_random_frames(daemon: Daemon, host: Connection) -> None:
    """Frames of every type with fields cut from valid ones: nothing but answers, errors and ends of connections."""
    generator = random.Random(20_261_123)
    pieces = [
        encode_field(Tag.ID, "r"),
        encode_field(Tag.ARG, "true"),
        encode_field(Tag.COLS, 80),
        encode_field(Tag.ROWS, 24),
        encode_field(Tag.WINDOW, 4096),
        encode_field(Tag.OFFSET, 0),
        encode_field(Tag.CLIENT, 1),
        encode_field(Tag.FLAGS, 2),
        encode_field(Tag.SIGNAL, 15),
        encode_field(Tag.SECONDS, 600),
        encode_field(Tag.LIMIT, 5),
        bytes(8),
        b"\x03",
    ]
    kinds = [frame_type for frame_type in FrameType if frame_type < 0x80]
    for _ in range(150):
        with daemon.connect() as client:
            for _ in range(generator.randint(1, 6)):
                payload = b"".join(generator.sample(pieces, generator.randint(0, len(pieces))))
                if generator.random() < 0.2:
                    payload = payload[: generator.randint(0, len(payload))]
                try:
                    client.send(encode_frame(generator.choice(kinds), payload))
                except OSError:
                    break
            client.socket.shutdown(socket.SHUT_WR)
            while client.frame() is not None:
                pass
