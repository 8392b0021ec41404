"""Steps are skipped when, and only when, nothing that went into them has changed."""

from pathlib import Path

import pytest

from deploy.launcher.stamps import Stamp


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / "src" / "one.ts").write_text("1")
    (tmp_path / "src" / "deep" / "two.ts").write_text("2")
    (tmp_path / "out").mkdir()
    return tmp_path


def stamp(project: Path, salt: str = "") -> Stamp:
    return Stamp(project / "stamps" / "step", [project / "src"], [project / "out"], salt)


def test_it_is_current_after_it_was_written(project: Path) -> None:
    assert not stamp(project).is_current()
    stamp(project).write()
    assert stamp(project).is_current()


def test_a_change_below_makes_it_stale(project: Path) -> None:
    stamp(project).write()
    (project / "src" / "deep" / "two.ts").write_text("3")
    assert not stamp(project).is_current()


def test_a_new_name_makes_it_stale(project: Path) -> None:
    stamp(project).write()
    (project / "src" / "one.ts").rename(project / "src" / "uno.ts")
    assert not stamp(project).is_current()


def test_a_new_file_makes_it_stale(project: Path) -> None:
    stamp(project).write()
    (project / "src" / "empty.ts").touch()
    assert not stamp(project).is_current()


def test_another_interpreter_makes_it_stale(project: Path) -> None:
    stamp(project, "3.11").write()
    assert not stamp(project, "3.12").is_current()


def test_a_missing_output_makes_it_stale(project: Path) -> None:
    stamp(project).write()
    (project / "out").rmdir()
    assert not stamp(project).is_current()


def test_what_tools_leave_among_the_sources_does_not_count(project: Path) -> None:
    stamp(project).write()
    (project / "src" / "node_modules").mkdir()
    (project / "src" / "node_modules" / "x.js").write_text("x")
    assert stamp(project).is_current()


def test_a_step_that_begins_takes_its_stamp_away(project: Path) -> None:
    stamp(project).write()
    stamp(project).clear()
    assert not stamp(project).is_current()
