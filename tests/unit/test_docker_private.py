import stat
from pathlib import Path

import pytest

from runtime.engines.docker import private


def test_a_closed_directory_above_moves_the_engine(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(stat.S_IRWXU)
    assert private.home(closed / "var").parent == Path("/var/lib/container-playground")
    assert private.home(closed / "var") != private.home(closed / "other")


def test_a_long_path_moves_the_engine() -> None:
    assert private.home(Path("/srv") / ("x" * 60)).parent == Path("/var/lib/container-playground")


def test_an_open_directory_holds_its_engine() -> None:
    assert private.home(Path("/srv/playground/var")) == Path("/srv/playground/var/engine")
    assert private.docker_host(Path("/srv/playground/var")) == "unix:///srv/playground/var/engine/docker.sock"


def test_given_docker_host_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    assert private.find() is None


@pytest.mark.parametrize("host", ["tcp://", "ssh://somewhere", "nonsense", "unix:///nonexistent"])
def test_an_odd_address_answers_nothing(host: str) -> None:
    assert not private.answers(host, seconds=0.2)


@pytest.mark.parametrize(("before", "after"), [("200", "20000"), ("20000", "20000"), ("1000000", "1000000")])
def test_room_for_keys_is_made_and_never_taken(before: str, after: str, tmp_path: Path) -> None:
    (tmp_path / "maxkeys").write_text(f"{before}\n")
    private.make_room_for_keys(tmp_path)
    assert (tmp_path / "maxkeys").read_text().strip() == after
    assert not (tmp_path / "maxbytes").exists()
