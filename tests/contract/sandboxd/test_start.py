"""START, the deadline, and the ways in which a machine ends."""

import signal
import time
from pathlib import Path

import pytest

from runtime.terminal import answers, frames, requests
from runtime.terminal.frames import FrameType
from tests.support.sandboxd import Daemon, alive, wait_until


def test_hello(daemon: Daemon) -> None:
    with daemon.connect() as connection:
        assert connection.hello.version == 1
        assert connection.hello.pid == daemon.process.pid
        assert not connection.hello.started
        connection.ask(requests.start(60))
    with daemon.connect() as connection:
        assert connection.hello.started


@pytest.mark.parametrize(
    "request_",
    [
        requests.list_terminals(),
        requests.open_terminal("a", ["sh"], cols=80, rows=24),
        requests.attach("a", window=4096),
        requests.close_terminal("a"),
        requests.execute(["true"]),
        requests.deadline(5),
        requests.signal_terminal("a", 9),
    ],
)
def test_nothing_before_start(daemon: Daemon, request_: bytes) -> None:
    with daemon.connect() as connection:
        assert connection.refusal(request_).code == "not_started"
        connection.ask(requests.start(60))


def test_second_start_changes_nothing(daemon: Daemon) -> None:
    with daemon.started(600) as connection:
        assert connection.refusal(requests.start(1)).code == "already_started"
        assert connection.terminals() == {}
        with daemon.connect() as other:
            assert other.refusal(requests.start(1)).code == "already_started"


def test_deadline_ends_everything(daemon: Daemon) -> None:
    with daemon.started() as connection, daemon.connect() as other:
        shell = connection.open("a", ["sh", "-c", "trap '' HUP TERM; setsid sleep 600 & echo $!; wait"])
        connection.attach("a")
        background = int(connection.output_until(b"\n"))
        other.ask(requests.deadline(1))
        _, status = connection.output_to_exit()
        assert status.signal == signal.SIGKILL
    assert daemon.wait() == 124
    wait_until(lambda: not alive(shell) and not alive(background), "all processes are gone")


def test_the_deadline_of_its_start_ends_it(daemon: Daemon) -> None:
    with daemon.started(1):
        assert daemon.wait() == 124


def test_deadline_can_be_moved_both_ways(daemon: Daemon) -> None:
    with daemon.started(5) as connection:
        begin = time.monotonic()
        connection.ask(requests.deadline(600))
        pid = answers.decode_pid(connection.ask(requests.execute(["sleep", "5.5"])).body)
        _, _, status = connection.result()
        assert (status.exit_code, status.signal) == (0, 0), pid
        assert time.monotonic() - begin > 5.4
    with daemon.connect() as connection:
        connection.ask(requests.deadline(1))
        assert daemon.wait() == 124


@pytest.mark.parametrize(("script", "expected"), [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)])
def test_main_ends_the_machine(daemon: Daemon, script: str, expected: int) -> None:
    with daemon.started() as connection, daemon.connect() as watching:
        other = connection.open("other", ["sleep", "600"])
        connection.open("main", ["sh", "-c", f"read line; echo last words; {script}"], flags=requests.OpenFlag.MAIN)
        watching.attach("main", client=1)
        watching.send(frames.encode_input(b"\n"))
        output, status = watching.output_to_exit()
        assert b"last words" in output
        assert status.signal == (9 if expected == 137 else 0)
        assert daemon.wait() == expected
        assert not alive(other)


def test_only_one_main(daemon: Daemon) -> None:
    with daemon.started() as connection:
        connection.open("main", ["sleep", "600"], flags=requests.OpenFlag.MAIN)
        second = requests.open_terminal("b", ["sh"], cols=80, rows=24, flags=requests.OpenFlag.MAIN)
        assert connection.refusal(second).code == "exists"
        assert list(connection.terminals()) == ["main"]


def test_main_that_does_not_start_ends_nothing(daemon: Daemon) -> None:
    with daemon.started() as connection:
        request = requests.open_terminal("m", ["no-such"], cols=80, rows=24, flags=requests.OpenFlag.MAIN)
        assert connection.refusal(request).code == "command_not_found"
        connection.open("m", ["sleep", "600"], flags=requests.OpenFlag.MAIN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_order(daemon: Daemon, number: signal.Signals) -> None:
    with daemon.started() as connection:
        # Half a second later it would be hung up.
        script = "trap '' HUP; trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
        connection.open("a", ["sh", "-c", script])
        connection.attach("a")
        connection.output_until(b"ready")
        daemon.process.send_signal(number)
        output, status = connection.output_to_exit()
        assert b"bye" in output
        assert status.exit_code == 5
        assert daemon.wait() == 128 + number


def test_signal_kills_what_does_not_listen(daemon: Daemon) -> None:
    with daemon.started() as connection:
        pid = connection.open("a", ["sh", "-c", "trap '' TERM HUP INT; echo ready; while :; do sleep 1; done"])
        connection.attach("a")
        connection.output_until(b"ready")
        daemon.process.terminate()
        assert daemon.wait() == 143
        assert not alive(pid)


def test_orphans_are_reaped(daemon: Daemon) -> None:
    with daemon.started() as connection:
        connection.open("a", ["sh", "-c", "for i in 1 2 3 4 5; do (sleep 0.01 & echo $!); done; read x"])
        connection.attach("a")
        got = b""
        while got.count(b"\n") < 5:
            got += connection.output_until(b"\n")
        pids = [int(pid) for pid in got.split()]
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "no zombie is left")


def test_a_storm_of_processes_and_signals_harms_nobody(daemon: Daemon) -> None:
    """Processes that end in masses, and signals without end, leave time for everything else."""
    with daemon.started() as connection:
        storm = f"while :; do kill -CHLD {daemon.process.pid}; (true & true &) ; done"
        for number in range(3):
            connection.open(f"storm{number}", ["sh", "-c", storm])
        connection.open("a", ["cat"])
        with daemon.connect() as client:
            client.attach("a")
            for _ in range(50):
                client.send(frames.encode_input(b"x\n"))
                client.output_until(b"x\r\nx\r\n")


def test_more_connections_than_allowed(daemon: Daemon) -> None:
    connections = [daemon.started()] + [daemon.connect() for _ in range(127)]
    try:
        with pytest.raises(AssertionError, match="ERROR"):
            daemon.connect()
        connections.pop().close()

        def accepted() -> bool:
            try:
                connections.append(daemon.connect())
            except AssertionError:
                return False
            return True

        wait_until(accepted, "a place is free again")
        assert connections[0].terminals() == {}
        assert connections[-1].ask(requests.list_terminals()).type == FrameType.OK
    finally:
        for connection in connections:
            connection.close()
