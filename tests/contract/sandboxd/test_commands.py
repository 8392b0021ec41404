"""EXEC: streams, limits, timeouts, and that nothing of a command stays behind."""

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from runtime.terminal import answers, frames, requests
from runtime.terminal.answers import ExitFlag, ExitStatus
from runtime.terminal.frames import FrameType, encode_frame
from runtime.terminal.requests import ExecFlag
from tests.support.sandboxd import Connection, Daemon, alive, wait_until


def execute(host: Connection, *command: str, **options: object) -> int:
    """Starts a command; its PID."""
    return answers.decode_pid(host.ask(requests.execute(command, **options)).body)  # type: ignore[arg-type]  # as the builder takes


def run(host: Connection, script: str, **options: object) -> tuple[bytes, bytes, ExitStatus]:
    execute(host, "sh", "-c", script, **options)
    return host.result()


def test_streams_are_apart(host: Connection) -> None:
    output, error, status = run(host, "echo out; echo err >&2; exit 3")
    assert (output, error) == (b"out\n", b"err\n")
    assert (status.exit_code, status.signal, status.flags) == (3, 0, ExitFlag.NONE)
    host.expect_end()


def test_death_by_signal(host: Connection) -> None:
    _, _, status = run(host, "kill -TERM $$")
    assert (status.exit_code, status.signal) == (-1, signal.SIGTERM)


def test_stdin_to_its_end(host: Connection) -> None:
    execute(host, "cat")
    data = os.urandom(1_000_000)
    pieces = [data[begin : begin + 65_536] for begin in range(0, len(data), 65_536)]
    got = bytearray()
    for piece in pieces:
        host.send(frames.encode_stdin(piece))
        while len(got) < len(piece):
            got += host.expect(FrameType.STDOUT).payload
        assert got == piece
        got.clear()
    host.send(frames.encode_stdin(b""))
    output, _, status = host.result()
    assert (output, status.exit_code) == (b"", 0)


def test_stdin_that_nobody_reads_is_no_error(host: Connection, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    execute(host, "sh", "-c", f"exec <&-; until [ -e {sent} ]; do sleep 0.05; done; exit 4")
    for _ in range(10):
        host.send(frames.encode_stdin(bytes(65_536)))
    host.send(frames.encode_stdin(b""))
    sent.touch()
    assert host.result()[2].exit_code == 4


def test_stdin_after_its_end(host: Connection) -> None:
    pid = execute(host, "sleep", "600")
    host.send(frames.encode_stdin(b""))
    assert host.refusal(frames.encode_stdin(b"more")).code == "protocol"
    host.expect_end()
    wait_until(lambda: not alive(pid), "the command is killed")


@pytest.mark.parametrize("flags", [ExecFlag.NONE, ExecFlag.ACKNOWLEDGED])
def test_much_output_of_both(host: Connection, flags: ExecFlag) -> None:
    execute(host, "sh", "-c", "head -c 3000000 /dev/zero & head -c 2000000 /dev/zero >&2; wait", flags=flags)
    sizes, total = {FrameType.STDOUT: 0, FrameType.STDERR: 0}, 0
    while (frame := host.frame()) is not None and frame.type != FrameType.EXIT:
        size = len(frame.payload)
        sizes[FrameType(frame.type)] += size
        total += size
        if flags:
            host.send(frames.encode_ack(total))
    assert sizes == {FrameType.STDOUT: 3_000_000, FrameType.STDERR: 2_000_000}


def test_window_of_a_command(host: Connection) -> None:
    pid = execute(host, "sh", "-c", "cat /dev/zero", flags=ExecFlag.ACKNOWLEDGED)
    total = 0
    while total < 512 << 10:
        total += len(host.expect(FrameType.STDOUT).payload)
    assert total == 512 << 10
    assert not host.has_frame()
    host.send(frames.encode_ack(100))
    assert len(host.expect(FrameType.STDOUT).payload) == 100
    assert not host.has_frame()
    assert host.refusal(frames.encode_ack(total + 101)).code == "protocol"
    wait_until(lambda: not alive(pid), "a command without its connection is killed")


def test_stdin_and_acknowledgements_do_not_wait_for_each_other(host: Connection) -> None:
    """All of the input is sent before anything is acknowledged, to a command that writes what it reads."""
    execute(host, "cat", flags=ExecFlag.ACKNOWLEDGED)
    data = os.urandom(3_000_000)
    waiting = b"".join(frames.encode_stdin(data[at : at + 60_000]) for at in range(0, len(data), 60_000))
    waiting += frames.encode_stdin(b"")
    got = bytearray()
    host.socket.settimeout(0.01)
    while len(got) < len(data):
        with contextlib.suppress(TimeoutError):
            waiting = waiting[host.socket.send(waiting) :] if waiting else waiting
        with contextlib.suppress(TimeoutError):
            frame = host.frame()
            assert frame is not None
            if frame.type == FrameType.STDOUT:
                got += frame.payload
                waiting += frames.encode_ack(len(got))
            else:
                assert (frame.type, len(frame.payload)) == (FrameType.STDERR, 0), "only the end of the other stream"
    assert got == data


def test_kill_passes_waiting_stdin(host: Connection) -> None:
    execute(host, "sleep", "600")
    for _ in range(4):
        host.send(frames.encode_stdin(bytes(60_000)))
    host.send(frames.encode_kill(signal.SIGTERM))
    assert host.result()[2].signal == signal.SIGTERM


@pytest.mark.parametrize("limit", [0, 1, 1000, 70_000])
def test_limit_of_each_stream(host: Connection, limit: int) -> None:
    script = f"head -c 200000 /dev/zero; head -c {limit} /dev/zero >&2"
    output, error, status = run(host, script, limit_bytes=limit)
    assert (len(output), len(error)) == (limit, limit)
    assert status.flags == ExitFlag.STDOUT_TRUNCATED
    assert status.exit_code == 0, "what is over the limit is read, so the command goes on"


def test_limit_of_both_streams(host: Connection) -> None:
    _, _, status = run(host, "echo 12345; echo 12345 >&2", limit_bytes=3)
    assert status.flags == ExitFlag.STDOUT_TRUNCATED | ExitFlag.STDERR_TRUNCATED


def test_limit_with_acknowledgements(host: Connection) -> None:
    """The limit is the window: what is beyond both must still be read and dropped."""
    output, _, status = run(host, "head -c 2000000 /dev/zero", limit_bytes=512 << 10, flags=ExecFlag.ACKNOWLEDGED)
    assert len(output) == 512 << 10
    assert status.flags == ExitFlag.STDOUT_TRUNCATED


def test_timeout_kills_the_group(host: Connection) -> None:
    output, _, status = run(host, "sleep 600 & echo $!; sleep 600", timeout_ms=4000)
    assert status.flags == ExitFlag.TIMED_OUT
    assert (status.exit_code, status.signal) == (-1, signal.SIGKILL)
    assert 4000 <= status.duration_ms < 60_000
    wait_until(lambda: not alive(int(output)), "the background process is killed too")


def test_lost_connection_kills_the_group(daemon: Daemon, host: Connection) -> None:
    with daemon.connect() as client:
        pid = execute(client, "sh", "-c", "trap '' TERM HUP INT; sleep 600 & echo $!; wait")
        background = int(client.expect(FrameType.STDOUT).payload.tobytes())
    wait_until(lambda: not alive(pid) and not alive(background), "both are killed")


def test_lost_connection_while_nothing_is_read(daemon: Daemon, host: Connection) -> None:
    with daemon.connect() as client:
        pid = execute(client, "cat", "/dev/zero")
        wait_until(lambda: _sleeps(pid), "the pipe is full")
    wait_until(lambda: not alive(pid), "it is killed")


def _sleeps(pid: int) -> bool:
    with open(f"/proc/{pid}/wchan") as file:  # noqa: PTH123
        return "pipe" in file.read()


def test_kill_goes_to_the_group(host: Connection) -> None:
    pid = execute(
        host,
        "sh",
        "-c",
        # A process in the background has a quarter of a second after its parent's end, so it is waited for.
        "trap 'wait; exit 8' USR1; (trap 'echo child; exit' USR1; echo r; while :; do sleep 0.05; done) & wait",
    )
    assert host.expect(FrameType.STDOUT).payload.tobytes() == b"r\n"
    host.send(frames.encode_kill(signal.SIGUSR1))
    output, _, status = host.result()
    assert (output, status.exit_code) == (b"child\n", 8)
    assert not alive(pid)


@pytest.mark.parametrize("payload", [b"", b"\0\0\0", b"\0\0\0\0", b"\0\0\0\x41", b"\xff\xff\xff\xff"])
def test_kill_with_nonsense(host: Connection, payload: bytes) -> None:
    pid = execute(host, "sleep", "600")
    assert host.refusal(encode_frame(FrameType.KILL, payload)).code == "protocol"
    wait_until(lambda: not alive(pid), "it is killed")


@pytest.mark.parametrize("frame", [frames.encode_input(b"x"), frames.encode_resize(1, 1), requests.list_terminals()])
def test_frames_of_another_state(host: Connection, frame: bytes) -> None:
    execute(host, "sleep", "600")
    assert host.refusal(frame).code == "protocol"
    host.expect_end()


def test_background_process_does_not_delay_exit(host: Connection) -> None:
    output, _, status = run(host, "sleep 600 & echo $!; exit 5")
    assert status.exit_code == 5
    assert status.duration_ms < 60_000
    background = int(output)
    assert alive(background), "it is left alone"
    os.kill(background, signal.SIGKILL)


def test_background_flood_does_not_delay_exit(host: Connection) -> None:
    execute(host, "sh", "-c", "cat /dev/zero & read go; exit 5")
    assert host.expect(FrameType.STDOUT).payload, "it is a flood by now"
    host.send(frames.encode_stdin(b"go\n"))
    _, _, status = host.result()
    assert status.exit_code == 5


def test_output_after_the_end_is_not_lost_to_a_slow_host(host: Connection) -> None:
    """All that was written is sent, though the grace period is over long before the host reads."""
    execute(host, "sh", "-c", "sleep 600 & head -c 250000 /dev/zero; echo $! >&2")
    time.sleep(0.6)
    output, error, status = host.result()
    assert len(output) == 250_000
    assert status.exit_code == 0
    os.kill(int(error), signal.SIGKILL)


def test_a_second_try_after_a_refusal(host: Connection) -> None:
    assert host.refusal(requests.execute(["no-such"])).code == "command_not_found"
    assert run(host, "echo here", directory="/")[0] == b"here\n"


def test_environment_of_a_command(host: Connection) -> None:
    output, _, _ = run(host, "echo $TERM-$LANG-$A; pwd", environment=["A=b"], directory="/tmp")
    assert output == b"-C.UTF-8-b\n/tmp\n"


def test_many_at_once(daemon: Daemon, host: Connection) -> None:
    clients = [daemon.connect() for _ in range(100)]
    try:
        for number, client in enumerate(clients):
            client.send(requests.execute(["sh", "-c", f"echo {number}; exit {number}"]))
        for number, client in enumerate(clients):
            client.expect(FrameType.OK)
            output, _, status = client.result()
            assert (output, status.exit_code) == (b"%d\n" % number, number)
    finally:
        for client in clients:
            client.close()


def test_pipelined_stdin(host: Connection) -> None:
    """Everything in one write, before the command even exists."""
    host.send(requests.execute(["cat"]) + frames.encode_stdin(b"at once") + frames.encode_stdin(b""))
    host.expect(FrameType.OK)
    assert host.result()[0] == b"at once"
