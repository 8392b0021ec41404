"""Output that is kept for a client that must not miss any, and how long a program waits for it."""

import os
import signal
import subprocess

import pytest

from runtime.terminal import frames, requests
from runtime.terminal.frames import FrameType
from runtime.terminal.requests import AttachFlag, OpenFlag
from tests.support.sandboxd import Connection, Daemon, alive, wait_until

COUNT = ["sh", "-c", "stty raw -echo; seq -f %07.0f 1 500000; exec sleep 1000"]
COUNTED = b"".join(b"%07d\n" % number for number in range(1, 500_001))
FLOOD = ["sh", "-c", "stty raw -echo; exec cat /dev/zero"]
KEPT = (1 << 20) - (1 << 17)
"""Of the usual ring."""


def _keeper(daemon: Daemon, offset: int, patience_ms: int = 0) -> Connection:
    client = daemon.connect()
    flags = AttachFlag.OBSERVE | AttachFlag.KEEP
    client.attach("a", offset=offset, flags=flags, patience_ms=patience_ms)
    return client


def _next(host: Connection) -> int:
    return host.terminals()["a"].next_offset


def test_a_program_waits_for_a_keeper_that_has_not_come_yet(daemon: Daemon, host: Connection) -> None:
    host.open("a", COUNT, flags=OpenFlag.KEEP)
    wait_until(lambda: _next(host) == KEPT, "as much is written as can be kept")
    with daemon.connect() as fast:
        fast.attach("a", offset=0)
        assert fast.output_until(COUNTED[KEPT - 8 : KEPT]) == COUNTED[:KEPT]
        assert not fast.has_frame(), "who reads fast does not make it lose anything"
    with _keeper(daemon, 0) as keeper:
        assert keeper.output_until(b"0500000\n") == COUNTED


def test_a_keeper_that_comes_back_misses_nothing(daemon: Daemon, host: Connection) -> None:
    host.open("a", COUNT, flags=OpenFlag.KEEP)
    got = bytearray()
    while len(got) < len(COUNTED):
        # Hung up in the middle, each time, with what it got acknowledged or not.
        with _keeper(daemon, len(got)) as keeper:
            for _ in range(5):
                offset, data = frames.decode_output(keeper.expect(FrameType.OUTPUT).body)
                assert offset == len(got)
                got += data
                if len(got) == len(COUNTED):
                    break
                keeper.send(frames.encode_ack(len(got)))
    assert got == COUNTED


def test_a_keeper_can_come_later(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["sh", "-c", "stty raw -echo; printf ready; head -c 1 >/dev/null; exec cat /dev/zero"])
    with daemon.connect() as typist:
        typist.attach("a", offset=0)
        typist.output_until(b"ready")
        _keeper(daemon, 5).close()
        typist.send(frames.encode_input(b"x"))
    wait_until(lambda: _next(host) == 5 + KEPT, "the program waits for the one who has left")


def test_a_program_does_not_wait_for_ever(daemon: Daemon, host: Connection) -> None:
    host.open("a", FLOOD, flags=OpenFlag.KEEP, patience_ms=300)
    wait_until(lambda: _next(host) > 5 << 20, "the program goes on")


def test_a_keeper_that_does_not_read_is_told_what_it_missed(daemon: Daemon, host: Connection) -> None:
    host.open("a", FLOOD, flags=OpenFlag.KEEP, patience_ms=300)
    with _keeper(daemon, 0, patience_ms=300) as keeper:
        wait_until(lambda: _next(host) > 20 << 20, "the program goes on")
        while (frame := keeper.expect_any()).type != FrameType.GAP:
            offset, data = frames.decode_output(frame.body)
            keeper.send(frames.encode_ack(offset + len(data)))
        begin, end = frames.decode_gap(frame.body)
        assert 0 < begin < end


def test_release(daemon: Daemon, host: Connection) -> None:
    host.open("a", FLOOD, flags=OpenFlag.KEEP)
    wait_until(lambda: _next(host) == KEPT, "the program waits")
    with daemon.connect() as last:
        last.attach("a", offset=0, flags=AttachFlag.OBSERVE | AttachFlag.RELEASE)
        wait_until(lambda: _next(host) > 5 << 20, "the program goes on")


def test_what_the_process_leaves_in_the_pty_is_kept(daemon: Daemon, host: Connection) -> None:
    """The program is killed while it waits: the last of its output comes at once, and pushes nothing out."""
    pid = host.open("a", ["sh", "-c", "stty raw -echo; exec seq -f %07.0f 1 500000"], flags=OpenFlag.KEEP)
    wait_until(lambda: _next(host) == KEPT, "the program waits")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: host.terminals()["a"].exited, "it has ended")
    with _keeper(daemon, 0) as keeper:
        got, _ = keeper.output_to_exit()
    assert len(got) >= KEPT
    assert COUNTED.startswith(got)


@pytest.mark.parametrize("comes", [True, False])
def test_the_machines_end_waits_for_a_keeper(daemon: Daemon, comes: bool) -> None:
    with daemon.started() as host:
        host.open("a", ["sh", "-c", "printf last-words"], flags=OpenFlag.KEEP | OpenFlag.MAIN)
        wait_until(lambda: host.terminals()["a"].exited, "the main process has ended")
        # Longer than anybody else is waited for.
        with pytest.raises(subprocess.TimeoutExpired):
            daemon.process.wait(0.8)
        assert alive(daemon.process.pid)
        if comes:
            with _keeper(daemon, 0) as keeper:
                got, _ = keeper.output_to_exit()
                keeper.send(frames.encode_ack(len(got)))
            assert got == b"last-words"
    assert daemon.wait() == 0


def test_unknown_flags_are_refused(host: Connection) -> None:
    host.open("a", FLOOD)
    refused = host.refusal(requests.attach("a", window=4096, flags=AttachFlag(8)))
    assert refused.code == "protocol"
