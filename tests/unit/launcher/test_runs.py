"""Long commands beside each other."""

import sys
from pathlib import Path

import pytest

from deploy.launcher.runs import Run, run_together


def run(tmp_path: Path, title: str, script: str) -> Run:
    return Run(title, [sys.executable, "-c", script], tmp_path, {}, tmp_path / f"{title}.log")


def alone(tmp_path: Path, title: str) -> Run:
    """Fails when another one of these runs meanwhile."""
    script = "import os, time; os.mkdir('held'); time.sleep(0.3); os.rmdir('held')"
    return run(tmp_path, title, script)


def waits_for(tmp_path: Path, title: str, mine: str, other: str) -> Run:
    """Ends when the other one runs, too."""
    lines = [
        "import os, sys, time",
        f"open({mine!r}, 'w').close()",
        f"while not os.path.exists({other!r}): time.sleep(0.01)",
        f"open({mine!r} + '.done', 'w').close()",
    ]
    return run(tmp_path, title, "\n".join(lines))


def test_all_at_once(tmp_path: Path) -> None:
    assert run_together([waits_for(tmp_path, "one", "a", "b"), waits_for(tmp_path, "other", "b", "a")]) == []


def test_no_more_than_that_at_once(tmp_path: Path) -> None:
    assert run_together([alone(tmp_path, name) for name in ("one", "two", "three")], at_once=1) == []


def test_two_of_three_at_once(tmp_path: Path) -> None:
    pair = [waits_for(tmp_path, "one", "a", "b"), waits_for(tmp_path, "other", "b", "a")]
    last = run(tmp_path, "last", "import os; assert os.path.exists('a.done') or os.path.exists('b.done')")
    assert run_together([*pair, last], at_once=2) == []


def test_those_that_failed_are_named_in_order(tmp_path: Path) -> None:
    codes = {"one": 1, "two": 0, "three": 2}
    runs = [run(tmp_path, name, f"raise SystemExit({code})") for name, code in codes.items()]
    assert run_together(runs, at_once=2) == ["one", "three"]


def test_what_failed_is_shown_whole_and_last(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    words = ["first", "== short test summary info ==", "SKIPPED", "last"]

    def says(name: str, words: list[str], code: int) -> Run:
        return run(tmp_path, name, f"print(*{words}, sep='\\n'); raise SystemExit({code})")

    run_together([says("red", words, 1), says("brief", words[:1], 0), says("green", words, 0)])
    shown = capfdbinary.readouterr().out.decode().split("\n")
    assert shown[:4] == ["", f"--- brief, the end of {tmp_path / 'brief.log'}", "first", ""]
    assert shown[4:-1] == [f"--- green, the end of {tmp_path / 'green.log'}", *words[1:], "", "--- red", *words]
