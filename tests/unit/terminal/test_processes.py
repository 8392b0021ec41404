"""What a machine says about its processes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.terminal.files import FileEntry, FileKind
from runtime.terminal.processes import ProcessStatus, parse_directory, parse_status, printable


def _link(name: str, target: str, kind: FileKind = "symlink") -> FileEntry:
    return FileEntry(name, kind, 0o777, 0, 0.0, target)


@pytest.mark.parametrize(
    ("stat", "group", "foreground"),
    [
        (b"7 (bash) S 1 7 7 34816 7 4194560 1", 7, 7),
        (b"7 (a b) c) (d) S 1 7 7 34816 99 4194560 1", 7, 99),
        (b"7 (sh\n) R 1 8 7 0 -1 4194560 1", 8, -1),
    ],
)
def test_the_groups_of_a_process(stat: bytes, group: int, foreground: int) -> None:
    assert parse_status(stat) == ProcessStatus(group, foreground)


@given(st.binary(max_size=200))
def test_nonsense_is_no_process(stat: bytes) -> None:
    status = parse_status(stat)
    assert status is None or isinstance(status.group, int)


def test_no_such_process() -> None:
    assert parse_status(b"") is None
    assert parse_status(b"7 (bash) S 1") is None
    assert parse_status(b"7 (bash) S 1 x 7 0 -1 0") is None


@pytest.mark.parametrize("path", ["/", "/root", "/home/\u00fc ber/a b"])
def test_a_directory(path: str) -> None:
    assert parse_directory([_link("exe", "/bin/sh"), _link("cwd", path)]) == path


@pytest.mark.parametrize(
    "target",
    [
        "",
        "relative",
        "/gone (deleted)",
        "/two\nlines",
        "/\x1b[31m",
        "/\u202eback",
        "/cut\ufffd",
        "/" + "x" * 5000,
        "/end ",
    ],
)
def test_a_directory_that_can_not_be_meant(target: str) -> None:
    assert parse_directory([_link("cwd", target)]) is None


def test_a_machine_without_proc() -> None:
    assert parse_directory([]) is None


@given(st.text(max_size=50))
def test_a_name_holds_nothing_unseen(text: str) -> None:
    assert printable(text).isprintable()
