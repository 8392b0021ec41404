"""Sockets find room in their addresses, however deep the data directory is."""

from pathlib import Path

from deploy.launcher.places import LONGEST_DATA, Places, make_near, remove_near


def test_a_short_data_directory_is_used_as_it_is() -> None:
    places = Places(Path("/x"), Path("/srv/playground/var"), 8000)
    assert places.near == places.data
    assert places.valkey_socket == Path("/srv/playground/var/valkey.sock")


def test_a_deep_one_is_reached_by_a_short_link(tmp_path: Path) -> None:
    data = tmp_path / ("deep/" * 20)
    data.mkdir(parents=True)
    places = Places(tmp_path, data, 8000)
    try:
        make_near(places)
        make_near(places)
        assert len(str(places.near)) <= LONGEST_DATA
        assert places.near.resolve() == data.resolve()
    finally:
        remove_near(places)
        remove_near(places)
    assert not places.near.is_symlink()
    assert data.is_dir()


def test_two_deep_directories_have_two_links() -> None:
    one, two = (Places(Path("/x"), Path("/" + "deep/" * 20 + name), 8000) for name in ("one", "two"))
    assert one.near != two.near
