"""OPEN, ATTACH, CLOSE, LIST, SIGNAL and sizes."""

import os
import pwd
import signal
from pathlib import Path

import pytest

from runtime.terminal import answers, frames, requests
from runtime.terminal.frames import FrameType
from tests.support.sandboxd import Connection, Daemon, alive, ignore_all_signals, wait_until


def test_a_terminal_has_its_size_before_the_first_byte(host: Connection) -> None:
    host.ask(requests.open_terminal("a", ["stty", "size"], cols=132, rows=43))
    attached = host.attach("a")
    assert (attached.cols, attached.rows) == (132, 43)
    output, status = host.output_to_exit()
    assert output == b"43 132\r\n"
    assert (status.exit_code, status.signal) == (0, 0)
    host.expect_end()


def test_it_is_the_controlling_terminal_of_a_session(host: Connection) -> None:
    pid = host.open("a", ["sh", "-c", "tty; ps -o sid=,pgid=,tpgid= -p $$; echo ok > /dev/tty"])
    host.attach("a")
    output, _ = host.output_to_exit()
    name, ids, ok = output.split(b"\r\n")[:3]
    assert name.startswith(b"/dev/pts/")
    assert ids.split() == [b"%d" % pid] * 3
    assert ok == b"ok"


def test_children_start_clean(host: Connection) -> None:
    host.open("a", ["sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls -l /proc/self/fd | wc -l"])
    host.attach("a")
    output, _ = host.output_to_exit()
    lines = output.split()
    assert lines[1] == lines[3] == b"0" * 16
    assert int(lines[4]) == 5, "a 'total' line, 0, 1, 2 and the directory"


def test_nothing_that_our_starter_ignores_stays_ignored() -> None:
    daemon = Daemon(before=ignore_all_signals)
    try:
        with daemon.started() as host:
            host.open("a", ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"])
            host.attach("a")
            assert host.output_to_exit()[0].split()[1::2] == [b"0" * 16] * 2
    finally:
        daemon.stop()


def test_resize_reaches_the_program_and_every_client(daemon: Daemon, host: Connection) -> None:
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done"
    host.open("a", ["sh", "-c", script])
    host.attach("a")
    host.output_until(b"ready\r\n")
    with daemon.connect() as other:
        other.attach("a")
        other.output_until(b"ready\r\n")
        host.send(frames.encode_resize(100, 30))
        for client in (host, other):
            assert frames.decode_resized(client.expect(FrameType.RESIZED).body) == (100, 30)
            client.output_until(b"30 100\r\n")
    with daemon.connect() as third:
        attached = third.attach("a", size=(90, 20))
        assert (attached.cols, attached.rows) == (90, 20)
    host.output_until(b"20 90\r\n")


def test_it_outlives_its_clients(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["cat"])
    for word in (b"one", b"two"):
        with daemon.connect() as client:
            client.attach("a")
            client.send(frames.encode_input(word + b"\n"))
            client.output_until(word + b"\r\n" + word + b"\r\n")
    host.attach("a")
    assert host.output_until(b"two\r\ntwo\r\n") == b"one\r\none\r\ntwo\r\ntwo\r\n"


def test_it_stays_readable_after_its_end(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["sh", "-c", "echo all; kill -SEGV $$"])
    wait_until(lambda: host.terminals()["a"].exited, "the process ends")
    listed = host.terminals()["a"]
    assert (listed.exit_code, listed.signal, listed.next_offset) == (-1, signal.SIGSEGV, 5)
    for _ in range(2):
        with daemon.connect() as client:
            client.attach("a", size=(50, 50))
            assert client.output_to_exit() == (b"all\r\n", answers.ExitStatus(-1, signal.SIGSEGV))
    assert host.refusal(requests.signal_terminal("a", 9)).code == "exited"


def test_everything_written_before_the_end_arrives(host: Connection) -> None:
    for size in (1, 4095, 4096, 4097, 70_000, 900_000):
        host.open(f"t{size}", ["sh", "-c", f"stty raw; head -c {size} /dev/zero"])
    for size in (1, 4095, 4096, 4097, 70_000, 900_000):
        wait_until(lambda name=f"t{size}": host.terminals()[name].exited, "the process ends")  # type: ignore[misc]  # a default binds the loop variable
        assert host.terminals()[f"t{size}"].next_offset == size


def test_a_background_process_does_not_hold_back_exit(host: Connection) -> None:
    host.open("a", ["sh", "-c", "trap '' HUP; sleep 600 & echo $!; exit 3"])
    host.attach("a")
    output, status = host.output_to_exit()
    assert status.exit_code == 3
    os.kill(int(output), signal.SIGKILL)


def test_a_process_may_close_its_terminal_and_open_it_again(host: Connection) -> None:
    script = "exec 3<>/dev/tty; exec <&- >&- 2>&-; exec 3>&-; sleep 0.3; echo back >/dev/tty; exit 4"
    host.open("a", ["sh", "-c", script])
    host.attach("a")
    output, status = host.output_to_exit()
    assert output == b"back\r\n"
    assert status.exit_code == 4


def test_close_hangs_up(daemon: Daemon, host: Connection) -> None:
    pid = host.open("a", ["sh", "-c", "trap 'echo hung up; exit 9' HUP; echo ready; while :; do sleep 0.05; done"])
    with daemon.connect() as client:
        client.attach("a")
        client.output_until(b"ready")
        host.ask(requests.close_terminal("a"))
        assert host.terminals() == {}
        assert host.refusal(requests.close_terminal("a")).code == "terminal_unknown"
        output, status = client.output_to_exit()
        assert b"hung up" in output
        assert status.exit_code == 9
        client.expect_end()
    wait_until(lambda: not alive(pid), "the process ends")


def test_close_kills_what_does_not_listen(daemon: Daemon, host: Connection) -> None:
    pid = host.open("a", ["sh", "-c", "trap '' HUP TERM; echo ready; while :; do sleep 0.1; done"])
    with daemon.connect() as client:
        client.attach("a")
        client.output_until(b"ready")
        host.ask(requests.close_terminal("a"))
        host.open("a", ["cat"])
        assert alive(pid), "it has two seconds"
        _, status = client.output_to_exit()
        assert status.signal == signal.SIGKILL
    assert list(host.terminals()) == ["a"]


def test_close_does_not_wait_for_a_client_that_reads_nothing(daemon: Daemon, host: Connection) -> None:
    pid = host.open("a", ["sh", "-c", "trap '' HUP; yes"])
    with daemon.connect() as client:
        client.attach("a", window=16 << 20)
        wait_until(lambda: host.terminals()["a"].next_offset >= 1 << 20, "the window is full")
        host.ask(requests.close_terminal("a"))
        wait_until(lambda: not alive(pid), "the process is killed")


def test_close_of_an_ended_terminal(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["true"])
    wait_until(lambda: host.terminals()["a"].exited, "the process ends")
    host.ask(requests.close_terminal("a"))
    host.open("a", ["cat"])
    assert not host.terminals()["a"].exited


def test_signal_goes_to_the_foreground(daemon: Daemon, host: Connection) -> None:
    host.open("a", ["bash", "--norc", "-i"], environment=["PS1=> "])
    with daemon.connect() as client:
        client.attach("a")
        client.output_until(b"> ")
        client.send(
            frames.encode_input(
                b"sh -c 'trap \"echo got it; exit\" USR1; echo re''ady; while :; do sleep 0.05; done'\r"
            )
        )
        client.output_until(b"ready\r\n")
        host.ask(requests.signal_terminal("a", signal.SIGUSR1))
        client.output_until(b"got it")
        client.send(frames.encode_input(b"echo the shell go''es on\r"))
        client.output_until(b"the shell goes on")
    assert not host.terminals()["a"].exited, "the shell in the background of it did not get the signal"


def test_list_says_what_there_is(host: Connection) -> None:
    pid = host.open("one", ["cat"])
    host.open("two", ["sh", "-c", "printf 12345; exit 6"], flags=requests.OpenFlag.BARE, environment=["PATH=/bin"])
    wait_until(lambda: host.terminals()["two"].exited, "the second ends")
    listed = host.terminals()
    one = listed["one"]
    assert (one.pid, one.cols, one.rows, one.exited, one.main) == (pid, 80, 24, False, False)
    assert (listed["two"].next_offset, listed["two"].exit_code) == (5, 6)
    assert 0 <= one.idle_ms < 15_000


def test_terminals_have_a_bound_and_list_fits(host: Connection) -> None:
    for number in range(256):
        host.open(f"{number:064}", ["true"])
    wait_until(lambda: all(terminal.exited for terminal in host.terminals().values()), "all end")
    assert len(host.terminals()) == 256
    assert host.refusal(requests.open_terminal("a", ["true"], cols=1, rows=1)).code == "busy"
    host.ask(requests.close_terminal("0" * 64))
    wait_until(lambda: _opens(host), "there is room again")


def _opens(host: Connection) -> bool:
    host.send(requests.open_terminal("a", ["true"], cols=1, rows=1))
    frame = host.frame()
    assert frame is not None
    return frame.type == FrameType.OK


@pytest.mark.parametrize(
    ("command", "options", "code"),
    [
        (["no-such-command"], {}, "command_not_found"),
        (["/no/such/command"], {}, "command_not_found"),
        ([""], {}, "command_not_found"),
        (["x" * 5000], {}, "command_not_found"),
        (["/etc/passwd"], {}, "command_not_executable"),
        (["/etc"], {}, "command_not_executable"),
        (["/etc/passwd/x"], {}, "command_not_found"),
        (["true"], {"user": "no-such-user"}, "unknown_user"),
        (["true"], {"user": "root:no-such-group"}, "unknown_user"),
        (["true"], {"user": "4294967295"}, "unknown_user"),
        (["true"], {"directory": "/no/such"}, "bad_directory"),
        (["true"], {"directory": "/etc/passwd"}, "bad_directory"),
        (["true"], {"environment": ["PATH="]}, "command_not_found"),
    ],
)
@pytest.mark.parametrize("how", ["open", "exec"])
def test_what_does_not_start(
    host: Connection, how: str, command: list[str], options: dict[str, str], code: str
) -> None:
    if how == "open":
        request = requests.open_terminal("a", command, cols=80, rows=24, **options)  # type: ignore[arg-type]  # per case
    else:
        request = requests.execute(command, **options)  # type: ignore[arg-type]  # per case
    refused = host.refusal(request)
    assert refused.code == code
    assert refused.message
    assert host.terminals() == {}, "nothing is left, and the connection goes on"


def test_a_script_without_its_interpreter(host: Connection, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    assert host.refusal(requests.execute([str(script)])).code == "command_not_executable"


def test_ids_are_unique(host: Connection) -> None:
    host.open("a", ["cat"])
    assert host.refusal(requests.open_terminal("a", ["cat"], cols=1, rows=1)).code == "exists"


def test_unknown_terminals(host: Connection) -> None:
    for request in (
        requests.attach("a", window=4096),
        requests.close_terminal("a"),
        requests.signal_terminal("a", 9),
    ):
        assert host.refusal(request).code == "terminal_unknown"


def _environment(host: Connection, **options: object) -> dict[str, str]:
    host.open("env", ["/usr/bin/env", "-0"], **options)
    host.attach("env")
    output, _ = host.output_to_exit()
    return dict(variable.split("=", 1) for variable in output.decode().split("\0") if variable)


def test_login_environment(host: Connection) -> None:
    environment = _environment(host, environment=["A=1", "LANG=de_DE.UTF-8", "A=2"])
    me = pwd.getpwuid(os.getuid())
    assert environment["A"] == "2"
    assert environment["LANG"] == "de_DE.UTF-8"
    assert environment["HOME"] == me.pw_dir
    assert environment["USER"] == me.pw_name
    assert environment["SHELL"] == me.pw_shell
    assert environment["TERM"] == "xterm-256color"
    assert environment["PATH"] == os.environ["PATH"], "inherited from sandboxd"


def test_bare_environment(host: Connection) -> None:
    assert _environment(host, environment=["A=1"], flags=requests.OpenFlag.BARE) == {"A": "1"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_another_user(host: Connection) -> None:
    nobody = pwd.getpwnam("nobody")
    host.open(
        "a",
        ["sh", "-c", "id -u; id -g; echo $HOME $USER; stat -c %u /proc/self/fd/0; echo >/dev/tty; pwd"],
        user="nobody",
        directory="/tmp",
    )
    host.attach("a")
    output, status = host.output_to_exit()
    lines = output.decode().split("\r\n")
    assert lines[:2] == [str(nobody.pw_uid), str(nobody.pw_gid)]
    assert lines[2] == f"{nobody.pw_dir} nobody"
    assert lines[5] == "/tmp"
    assert status.exit_code == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize(
    ("user", "expected"),
    [("1234", "1234 0 0"), ("1234:5678", "1234 5678 5678"), ("daemon:tty", "1 5 5"), ("0", "0 0 0")],
)
def test_forms_of_user(host: Connection, user: str, expected: str) -> None:
    host.send(requests.execute(["sh", "-c", "echo $(id -u) $(id -g) $(id -G)"], user=user))
    host.expect(FrameType.OK)
    output, _, _ = host.result()
    assert output.decode().strip() == expected


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_the_kernel_and_not_us_decides_who_may_change(host: Connection, daemon: Daemon) -> None:
    """A command that is nobody can't ask for more through the file operations of the same daemon."""
    host.send(requests.execute(["fs", "read", "/etc/shadow"], user="nobody", flags=requests.ExecFlag.SELF))
    host.expect(FrameType.OK)
    output, _, status = host.result()
    assert (output, status.exit_code) == (b"", 11)
