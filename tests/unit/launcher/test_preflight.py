"""One message says all that is missing, and what helps."""

import pytest

from deploy.launcher.errors import SetupError
from deploy.launcher.needs import Need
from deploy.launcher.preflight import packages_for

NODE = Need("Node.js 20.19 or newer", "builds the pages", (), "Install it from https://nodejs.org")
VENV = Need("the venv module", "keeps our packages apart", ("python3-venv",))
ENGINE = Need("a container engine", "runs the containers", ("docker.io", "iptables"))
RECIPES = Need("mmdebstrap", "makes images", ("mmdebstrap", "iptables"))


def test_nothing_missing_installs_nothing() -> None:
    assert packages_for([], may_install=True) == []


def test_root_on_debian_gets_each_package_once() -> None:
    packages = packages_for([VENV, ENGINE, RECIPES], may_install=True)
    assert packages == ["python3-venv", "docker.io", "iptables", "mmdebstrap"]


def test_what_no_package_brings_stops_before_anything_is_installed() -> None:
    with pytest.raises(SetupError) as stop:
        packages_for([VENV, NODE], may_install=True)
    text = str(stop.value)
    assert "nothing was installed" in text
    assert "the venv module" in text
    assert "Node.js 20.19 or newer" in text
    assert "https://nodejs.org" in text
    assert "sudo" not in text


def test_an_ordinary_user_is_told_all_at_once_and_one_command() -> None:
    with pytest.raises(SetupError) as stop:
        packages_for([VENV, ENGINE, RECIPES], may_install=False)
    text = str(stop.value)
    for need in (VENV, ENGINE, RECIPES):
        assert need.what in text
        assert need.why in text
    assert "sudo apt-get install python3-venv docker.io iptables mmdebstrap" in text
