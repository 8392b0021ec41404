"""The generated configuration, as supervisor itself reads it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from deploy.launcher.places import Places
from deploy.launcher.supervision import Program, configuration, engine_program, site_programs, valkey_configuration


def read(places: Places, programs: list[Program]) -> ServerOptions:
    places.supervision.mkdir(parents=True)
    places.logs.mkdir()
    path = places.supervision / "supervisord.conf"
    path.write_text(configuration(places, programs, is_root=False))
    options = ServerOptions()
    options.realize(["--configuration", str(path)])
    return options


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    # Not pytest's own directory: it is so deep that sockets would be elsewhere.
    with tempfile.TemporaryDirectory(prefix="pg-") as short:
        yield Places(tmp_path, Path(short) / "a b%c", 8123)


def test_a_path_with_a_space_and_a_percent_sign_stays_one_path(places: Places) -> None:
    options = read(places, [Program("one", ["/bin/echo", str(places.data), '"quoted" \\'], 1)])
    (process,) = options.process_group_configs[0].process_configs
    assert process.name == "one"
    assert process.stdout_logfile == str(places.logs / "one.log")
    from supervisor.process import Subprocess

    argv = Subprocess(process).get_execv_args()[1]
    assert argv == ["/bin/echo", str(places.data), '"quoted" \\']


def test_the_socket_is_for_us_alone(places: Places) -> None:
    options = read(places, site_programs(places))
    (server,) = options.server_configs
    assert server["file"] == str(places.supervision / "socket")
    assert server["chmod"] == 0o700


def test_web_stops_first_and_the_engine_last(places: Places) -> None:
    programs = [*site_programs(places), engine_program(["/usr/sbin/dockerd"], {"HOME": "/tmp/x"})]
    options = read(places, programs)
    order = [group.name for group in sorted(options.process_group_configs)]
    assert order == ["engine", "worker", "recorder", "beat", "web"]


def test_two_web_processes_share_the_port(places: Places) -> None:
    options = read(places, site_programs(places))
    web = next(group for group in options.process_group_configs if group.name == "web")
    assert [process.name for process in web.process_configs] == ["web-0", "web-1"]
    assert all("8123" in process.command for process in web.process_configs)
    assert len({process.stdout_logfile for process in web.process_configs}) == 2
    assert all(process.autorestart and not process.autostart for process in web.process_configs)


def test_an_engines_environment_reaches_it(places: Places) -> None:
    options = read(places, [engine_program(["/usr/sbin/dockerd"], {"HOME": "/tmp/x y", "PATH": "/a:/b"})])
    (process,) = options.process_group_configs[0].process_configs
    assert process.environment == {"HOME": "/tmp/x y", "PATH": "/a:/b"}


def test_valkey_is_bounded_private_and_forgetful(places: Places) -> None:
    lines = valkey_configuration(places).splitlines()
    assert "port 0" in lines
    assert "unixsocketperm 700" in lines
    assert "maxmemory-policy noeviction" in lines
    assert 'save ""' in lines
    assert "set-proc-title no" in lines, "the mark in its environment would be gone"
    assert f'unixsocket "{places.valkey_socket}"' in lines
