"""What is wrong with the settings is one line that names the variable, before anything is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.launched import free_port
from tests.support.stack import REPOSITORY
from tests.support.valkey import Valkey


def check(data: Path, **given: str) -> str:
    passed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "playground.configured"],
        cwd=REPOSITORY,
        env=passed | {"PLAYGROUND_DATA": str(data)} | given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == (not done.stderr)
    return done.stderr.strip()


def test_nothing_set_is_nothing_wrong(tmp_path: Path) -> None:
    assert check(tmp_path) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLAYGROUND_ENGINE", "podman"),
        ("PLAYGROUND_URL", "play.example.org"),
        ("REDIS_URL", "localhost"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:{port}/0"),
        ("DATABASE_URL", "mysql://somebody:hunter2@localhost/x"),
        ("DATABASE_URL", "postgres://somebody:hunter2@127.0.0.1:{port}/x"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_name(tmp_path: Path, name: str, value: str) -> None:
    said = check(tmp_path, **{name: value.format(port=free_port())})
    assert said.startswith(f"{name}: ")
    assert len(said.splitlines()) == 1
    assert "hunter2" not in said


def test_a_broker_that_answers_is_accepted(tmp_path: Path) -> None:
    with Valkey(tmp_path / "v.sock") as valkey:
        assert check(tmp_path, REDIS_URL=valkey.url) == ""
