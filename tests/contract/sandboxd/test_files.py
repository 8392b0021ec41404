"""`sandboxd fs` by EXEC: what it says, what it leaves, what it refuses."""

import os
import resource
import stat
import subprocess
from pathlib import Path

import pytest

from runtime.terminal import frames, requests
from runtime.terminal.frames import FrameType
from runtime.terminal.requests import ExecFlag
from tests.support.sandboxd import DEADLINE, Connection, Daemon, binary, wait_until


def fs(host: Daemon, *arguments: str, stdin: bytes | None = None) -> tuple[int, bytes]:
    """The exit code and standard output of one operation."""
    with host.connect() as connection:
        connection.ask(requests.execute(["fs", *arguments], flags=ExecFlag.SELF))
        if stdin is not None:
            for begin in range(0, len(stdin), 65_536):
                connection.send(frames.encode_stdin(stdin[begin : begin + 65_536]))
            connection.send(frames.encode_stdin(b""))
        output, error, status = connection.result()
    assert bool(error) == bool(status.exit_code), "words go with every failure"
    assert status.signal == 0
    return status.exit_code, output


@pytest.fixture
def machine(daemon: Daemon, host: Connection) -> Daemon:
    """A daemon that was started."""
    return daemon


def test_read_and_write(machine: Daemon, tmp_path: Path) -> None:
    data = os.urandom(300_000)
    path = tmp_path / "new file\n"
    assert fs(machine, "write", str(path), stdin=data) == (0, b"")
    assert path.read_bytes() == data
    assert fs(machine, "read", str(path)) == (0, data)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_write_keeps_mode_and_follows_links(machine: Daemon, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    file = tmp_path / "directory" / "file"
    file.write_text("a long text before")
    file.chmod(0o751)
    (tmp_path / "link").symlink_to("directory/second")
    (tmp_path / "directory" / "second").symlink_to(file)
    assert fs(machine, "write", str(tmp_path / "link"), stdin=b"new") == (0, b"")
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o751
    assert (tmp_path / "link").is_symlink()
    dangling = tmp_path / "dangling"
    dangling.symlink_to("target")
    assert fs(machine, "write", str(dangling), stdin=b"x")[0] == 0
    assert (tmp_path / "target").read_text() == "x"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_write_keeps_the_owner(machine: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    os.chown(file, 1234, 5678)
    file.chmod(0o4755)
    assert fs(machine, "write", str(file), stdin=b"after")[0] == 0
    status = file.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 5678, 0o4755)


def test_write_of_nothing(machine: Daemon, tmp_path: Path) -> None:
    assert fs(machine, "write", str(tmp_path / "empty"), stdin=b"") == (0, b"")
    assert (tmp_path / "empty").read_bytes() == b""


def test_an_upload_that_breaks_off_leaves_nothing(machine: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    with machine.connect() as connection:
        connection.ask(requests.execute(["fs", "write", str(file)], flags=ExecFlag.SELF))
        connection.send(frames.encode_stdin(b"half"))
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2, "the temporary file is there")
    wait_until(lambda: len(list(tmp_path.iterdir())) == 1, "it is gone")
    assert file.read_text() == "before"


def test_a_timeout_leaves_nothing(machine: Daemon, tmp_path: Path) -> None:
    with machine.connect() as connection:
        request = requests.execute(["fs", "write", str(tmp_path / "f")], flags=ExecFlag.SELF, timeout_ms=1500)
        connection.ask(request)
        connection.send(frames.encode_stdin(b"half"))
        assert connection.result()[2].flags == 4
    assert not list(tmp_path.iterdir())


def test_list_and_stat(machine: Daemon, tmp_path: Path) -> None:
    names = [b"plain", b"with space", b"new\nline", b"\xff\xfe", b"-r", b"'\"\\", b"x" * 255]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(name)
    (tmp_path / "link").symlink_to("no where")
    (tmp_path / "sub").mkdir(mode=0o1700)
    os.mkfifo(tmp_path / "fifo")
    os.utime(tmp_path / "plain", ns=(0, 1_234_567_890_123_456_789))
    code, output = fs(machine, "list", str(tmp_path))
    assert code == 0
    records = _records(output)
    assert set(records) == {*names, b"link", b"sub", b"fifo"}
    kind, mode, size, modified, uid, gid = records[b"plain"][0]
    assert (kind, mode, size, modified) == (b"f", b"0644", b"5", b"1234567890.123456789")
    assert (int(uid), int(gid)) == (os.getuid(), (tmp_path / "plain").stat().st_gid)
    assert records[b"link"] == (records[b"link"][0], b"no where")
    assert records[b"link"][0][0] == b"l"
    assert records[b"sub"][0][:2] == [b"d", b"1755"] or records[b"sub"][0][:2] == [b"d", b"1700"]
    assert records[b"fifo"][0][0] == b"p"
    code, output = fs(machine, "stat", str(tmp_path / "link"))
    assert _records(output) == {os.fsencode(tmp_path / "link"): records[b"link"]}


def _records(output: bytes) -> dict[bytes, tuple[list[bytes], bytes]]:
    """By name: the numbers of the record, and the target."""
    parts = output.split(b"\0")
    assert parts.pop() == b""
    assert len(parts) % 3 == 0
    return {parts[at + 1]: (parts[at].split(b" "), parts[at + 2]) for at in range(0, len(parts), 3)}


def test_a_large_directory(machine: Daemon, tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"{number:0100}").touch()
    code, output = fs(machine, "list", str(tmp_path))
    assert code == 0
    assert len(_records(output)) == 3000
    assert fs(machine, "delete", "-r", str(tmp_path)) == (0, b"")
    assert not tmp_path.exists()


def test_delete(machine: Daemon, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    tree = tmp_path / "tree"
    (tree / "a" / "b" / "c").mkdir(parents=True)
    (tree / "a" / "file").touch()
    (tree / "a" / "link").symlink_to(outside)
    os.mkfifo(tree / "fifo")
    assert fs(machine, "delete", str(tree))[0] == 1
    assert fs(machine, "delete", "-r", str(tree)) == (0, b"")
    assert not tree.exists()
    assert (outside / "kept").exists()
    (tmp_path / "link").symlink_to(outside)
    assert fs(machine, "delete", "-r", str(tmp_path / "link")) == (0, b"")
    assert (outside / "kept").exists()
    assert fs(machine, "delete", str(outside / "kept")) == (0, b"")
    assert fs(machine, "delete", str(outside)) == (0, b"")
    assert fs(machine, "delete", str(outside))[0] == 10
    for root in ("/", "//", "///"):
        assert fs(machine, "delete", "-r", root)[0] == 11


def test_a_deep_tree_is_refused_not_crashed_into(machine: Daemon, tmp_path: Path) -> None:
    path = tmp_path
    for _ in range(300):
        path = path / "d"
    path.mkdir(parents=True)
    assert fs(machine, "delete", "-r", str(tmp_path / "d"))[0] == 1
    assert path.exists()
    while path != tmp_path:
        path.rmdir()
        path = path.parent


def test_mkdir(machine: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b c" / "d"
    for _ in range(2):
        assert fs(machine, "mkdir", str(path)) == (0, b"")
    assert path.is_dir()
    assert fs(machine, "mkdir", str(path) + "//x/") == (0, b"")
    assert (path / "x").is_dir()
    (path / "file").touch()
    assert fs(machine, "mkdir", str(path / "file"))[0] == 13
    assert fs(machine, "mkdir", str(path / "file" / "x"))[0] == 13


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("read", "/no/such"), 10),
        (("read", "/etc"), 12),
        (("read", "/dev/null"), 12),
        (("read", "/dev/ptmx"), 12),
        (("read", "/etc/passwd/x"), 13),
        (("read", "/" + "x" * 300), 1),
        (("write", "/no/such/file"), 10),
        (("write", "/etc"), 12),
        (("write", "/etc/"), 12),
        (("write", "/etc/.."), 12),
        (("write", "/"), 12),
        (("write", "/dev/null"), 12),
        (("write", "/etc/passwd/x"), 13),
        (("write", "/proc/self/x"), 10),
        (("list", "/etc/passwd"), 13),
        (("list", "/no/such"), 10),
        (("stat", "/no/such"), 10),
        (("delete", "/no/such"), 10),
        (("delete", "-r", "/no/such"), 10),
        (("mkdir", "/proc/x"), 10),
        (("read", "etc/passwd"), 2),
        (("read", ""), 2),
        (("read",), 2),
        (("read", "/a", "/b"), 2),
        (("delete", "-f", "/a"), 2),
        (("format", "/a"), 2),
        ((), 2),
    ],
)
def test_failures(machine: Daemon, arguments: tuple[str, ...], code: int) -> None:
    assert fs(machine, *arguments, stdin=b"") == (code, b"")


def test_fifos_and_sockets_never_hang(machine: Daemon, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for operation in ("read", "write"):
        for path in (tmp_path / "fifo", machine.path):
            assert fs(machine, operation, str(path), stdin=b"")[0] == 12


def test_link_loops(machine: Daemon, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert fs(machine, "read", str(tmp_path / "loop"))[0] == 1
    assert fs(machine, "write", str(tmp_path / "loop"), stdin=b"")[0] == 1


@pytest.mark.skipif(os.getuid() != 0, reason="root is needed to be somebody else")
def test_rights_of_the_user_count(machine: Daemon, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    for part in (tmp_path, *tmp_path.parents):
        if part.stat().st_uid == 0 and part.is_relative_to("/tmp"):
            part.chmod(part.stat().st_mode | 0o011)
    for arguments in (
        ("read", str(secret)),
        ("write", str(secret)),
        ("delete", str(secret)),
        ("mkdir", str(tmp_path / "x")),
    ):
        with machine.connect() as connection:
            connection.ask(requests.execute(["fs", *arguments], user="nobody", flags=ExecFlag.SELF))
            connection.send(frames.encode_stdin(b""))
            assert connection.result()[2].exit_code == 11
    assert secret.read_text() == "secret"


def test_no_space(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = subprocess.run(
        [binary(), "fs", "write", tmp_path / "file"], input=bytes(2000), preexec_fn=limit, capture_output=True,
        timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 14
    assert not list(tmp_path.iterdir())


def test_as_a_program_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    done = subprocess.run(
        [binary(), "fs", "read", tmp_path / "file"], capture_output=True, timeout=DEADLINE, check=True
    )
    assert done.stdout == b"content"


def test_output_goes_through_the_limit(machine: Daemon, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(100_000))
    with machine.connect() as connection:
        connection.ask(requests.execute(["fs", "read", str(tmp_path / "file")], flags=ExecFlag.SELF, limit_bytes=10))
        output, _, status = connection.result()
    assert (len(output), status.exit_code, status.flags) == (10, 0, 1)


def test_self_needs_fs(machine: Daemon) -> None:
    with machine.connect() as connection:
        connection.send(requests.execute(["listen", "/tmp/x"], flags=ExecFlag.SELF))
        connection.expect(FrameType.OK)
        assert connection.result()[2].exit_code == 2
