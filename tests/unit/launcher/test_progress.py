"""What a person reads while it sets up."""

import io
import re

import pytest

from deploy.launcher.progress import UP_TO_DATE, Progress


def test_each_step_is_one_line_with_its_number_and_time() -> None:
    out = io.StringIO()
    progress = Progress(2, out)
    with progress.step("front end"):
        progress.tick("bundling")
    with progress.step("sandboxd"):
        progress.result(UP_TO_DATE)
    assert re.fullmatch(r"\[1/2\] front end … \d+\.\d s\n\[2/2\] sandboxd … up to date\n", out.getvalue())


def test_a_step_that_fails_says_so_on_its_line() -> None:
    out = io.StringIO()
    progress = Progress(1, out)
    with pytest.raises(ValueError, match="broken"), progress.step("database"):
        raise ValueError("broken")
    assert out.getvalue() == "[1/1] database … failed\n"


def test_a_terminal_sees_what_is_being_done_in_the_end_only_the_line() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    progress = Progress(1, out)
    with progress.step("front end"):
        progress.tick("bundling 3 of 7")
        assert "bundling 3 of 7" in out.getvalue()
    assert re.fullmatch(r"\[1/1\] front end … \d+\.\d s\n", out.getvalue().rpartition("\r\033[K")[2])
