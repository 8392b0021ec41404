"""A wrong value stops the start and names its variable; its secrets are not repeated."""

import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from playground import checks
from playground.engine import allowed_choice, docker_host
from playground.settings import accounts, capacity, environment, network
from playground.settings.environment import EngineChoice
from runtime.engines.docker import private


@pytest.mark.parametrize(
    "url",
    ["mysql://u:pass@h/db", "nonsense", "postgres://", "postgres://u:hunter2@h:port/db", ""],
)
def test_database_url(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as caught:
        environment.database(tmp_path)
    assert "hunter2" not in str(caught.value)


def test_database_url_with_a_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u@%2Frun%2Fpostgresql/db")
    assert environment.database(tmp_path)["HOST"] == "/run/postgresql"


@pytest.mark.parametrize("url", ["http://h", "unix://relative", "redis://", "valkey"])
def test_redis_url(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        environment.broker_url(tmp_path)


@pytest.mark.parametrize("url", ["ftp://h", "127.0.0.1:8000", "https://h/path", "https://h?x=1", "https://"])
def test_public_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_URL", url)
    with pytest.raises(ImproperlyConfigured, match="PLAYGROUND_URL"):
        environment.public_url()


@pytest.mark.parametrize("url", ["nonsense", "smtp+tls://u:hunter2@h:port", "https://u:hunter2@h"])
def test_mail_server(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as caught:
        accounts.mail_server()
    assert "hunter2" not in str(caught.value)


def test_mail_is_sent_by_the_server_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://u:p@mail.example.org:587")
    assert accounts.mail_server()["EMAIL_HOST"] == "mail.example.org"


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "many", "9" * 12, "\u0663"])
@pytest.mark.parametrize(
    "name", ["PLAYGROUND_MEMORY_MIB", "PLAYGROUND_MACHINES", "PLAYGROUND_CREATES_AT_ONCE", "PLAYGROUND_QUEUE"]
)
def test_capacity(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        capacity.host_capacity()


def test_capacity_comes_from_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = capacity.host_capacity()
    assert 0 < usual.memory_bytes < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert [capacity.usual_creates(cores) for cores in (1, 2, 4, 64)] == [2, 4, 8, 8]
    monkeypatch.setenv("PLAYGROUND_MEMORY_MIB", "512")
    assert capacity.host_capacity().memory_bytes == 512 << 20


def test_engine_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_ENGINE", "podman")
    with pytest.raises(ImproperlyConfigured, match=r"PLAYGROUND_ENGINE.*auto, docker, kubernetes, process"):
        environment.engine_choice()


def test_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path / "file" / "var"))
    with pytest.raises(ImproperlyConfigured, match="PLAYGROUND_DATA"):
        environment.data_directory()


def test_a_kept_value_stays(tmp_path: Path) -> None:
    first = environment.kept_value("secret-key", tmp_path, 32)
    assert environment.kept_value("secret-key", tmp_path, 32) == first
    assert len(first) == 64
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_engines_that_are_refused(settings: Settings) -> None:
    settings.PLAYGROUND_ENGINE, settings.DEBUG = EngineChoice.PROCESS, False
    with pytest.raises(ImproperlyConfigured, match=r"PLAYGROUND_ENGINE: process.*DEBUG=1"):
        allowed_choice()
    assert [message.id for message in checks.check_engine_choice(None)] == ["playground.E001"]
    settings.DEBUG = True
    assert allowed_choice() == EngineChoice.PROCESS
    assert checks.check_engine_choice(None) == []
    settings.PLAYGROUND_ENGINE = EngineChoice.KUBERNETES
    with pytest.raises(ImproperlyConfigured, match="not available yet"):
        allowed_choice()


def test_where_docker_is(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA, settings.DOCKER_HOST = tmp_path, ""
    assert docker_host() == "unix:///var/run/docker.sock"
    home = tmp_path / "private"
    monkeypatch.setattr(private, "home", lambda data: home)
    home.mkdir()
    (home / "address-pool").write_text("")
    assert docker_host() == f"unix://{home}/docker.sock"
    settings.DOCKER_HOST = "tcp://h:2375"
    assert docker_host() == "tcp://h:2375"


def test_a_long_data_directory_is_refused(settings: Settings, tmp_path: Path) -> None:
    settings.DATA = tmp_path / ("x" * 80)
    settings.DATA.mkdir()
    assert [message.id for message in checks.check_data_directory(None)] == ["playground.E003"]


def test_checks_name_what_is_missing(settings: Settings, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"
    settings.DOCKER_HOST = f"unix://{tmp_path}/none.sock"
    settings.PLAYGROUND_ENGINE = EngineChoice.AUTO
    (broker,), (engine,) = checks.check_broker(None), checks.check_engine(None)
    assert "REDIS_URL" in broker.msg
    assert broker.hint
    assert "DOCKER_HOST" in engine.msg
    assert engine.hint


@pytest.mark.parametrize("value", ["resolver.example.com", "::1", "9.9.9.9;1.1.1.1"])
def test_resolvers(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_RESOLVERS", value)
    with pytest.raises(ImproperlyConfigured, match="PLAYGROUND_RESOLVERS"):
        network.resolvers()


def test_resolvers_of_the_host_without_its_own_stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("nameserver 127.0.0.53\n")
    real.write_text("# of the provider\nsearch x\nnameserver fe80::1\nnameserver 192.0.2.53\n")
    monkeypatch.setattr(network, "HOST_RESOLVERS", (stub, tmp_path / "absent", real))
    monkeypatch.setenv("PLAYGROUND_RESOLVERS", "")
    assert network.resolvers() == ("192.0.2.53",)
    monkeypatch.setenv("PLAYGROUND_RESOLVERS", "9.9.9.9, 149.112.112.112")
    assert network.resolvers() == ("9.9.9.9", "149.112.112.112")


@pytest.mark.parametrize("value", ["10.1.2.3/24", "mirror", "fd00::/8"])
def test_opened_networks(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_EGRESS_OPEN", value)
    with pytest.raises(ImproperlyConfigured, match="PLAYGROUND_EGRESS_OPEN"):
        network.opened()
