"""Ports, folders and disks that will not do are named."""

import socket
from pathlib import Path

import pytest

from deploy.launcher import host
from deploy.launcher.places import Places


def test_a_port_that_is_listened_on_is_refused_even_if_it_may_be_shared() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (need,) = host.port_needs(port)
    assert f"port {port}" in need.what
    assert "PORT=" in need.advice


def test_a_port_that_was_just_given_back_is_free() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listener.accept()
            accepted.close()
    assert host.port_needs(port) == []


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port(port: int) -> None:
    assert "is none" in host.port_needs(port)[0].what


def test_the_data_directory_is_made_and_closed_to_the_curious(tmp_path: Path) -> None:
    assert host.data_needs(tmp_path / "a" / "b") == []
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o711


def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    (need,) = host.data_needs(tmp_path / "data")
    assert str(tmp_path / "data") in need.what
    assert "DATA=" in need.advice


def test_too_little_room_is_said_in_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 50 * host.MEBIBYTE

    monkeypatch.setattr("shutil.disk_usage", lambda place: Usage)
    places = Places(tmp_path, tmp_path, 8000)
    assert "50 MiB are free, 100 MiB are needed" in host.room_needs(places, first=False)[0].what
    assert "1024 MiB are needed" in host.room_needs(places, first=True)[0].what
