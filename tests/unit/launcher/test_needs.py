"""What is found missing on hosts that are made of a few programs."""

import sys
from pathlib import Path

import pytest

from deploy.launcher import needs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(needs, "ADMINISTRATION", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, says: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


def test_no_node_at_all(programs: Path) -> None:
    (need,) = needs.node_needs()
    assert need.what == "Node.js 20.19 or newer with npm"
    assert "nodejs.org" in need.advice


def test_a_node_that_is_too_old_is_named_with_its_version(programs: Path) -> None:
    install(programs, "node", "v18.19.0")
    install(programs, "npm")
    (need,) = needs.node_needs()
    assert "18.19" in need.what
    assert not need.packages, "Debian's would be no newer"


def test_node_without_npm(programs: Path) -> None:
    install(programs, "node", "v20.19.0")
    (need,) = needs.node_needs()
    assert need.what == "npm"


@pytest.mark.parametrize("version", ["v20.19.0", "v22.1.0"])
def test_a_node_that_will_do(programs: Path, version: str) -> None:
    install(programs, "node", version)
    install(programs, "npm")
    assert needs.node_needs() == []


def test_an_old_python_is_told_of_a_newer_one(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, "python3.12")
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    (need,) = needs.python_needs()
    assert "3.9" in need.what
    assert need.advice == "make run PYTHON=python3.12"


def test_a_python_without_venv_names_debians_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (need,) = needs.python_needs()
    assert need.packages == ("python3-venv",)


def test_this_python_will_do() -> None:
    assert needs.python_needs() == []


def test_tests_need_a_browser_a_database_and_a_compiler(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs.Path, "glob", lambda self, pattern: iter(()))
    packages = [package for need in needs.test_needs() for package in need.packages]
    assert {"chromium", "postgresql", "gcc"} <= set(packages)
