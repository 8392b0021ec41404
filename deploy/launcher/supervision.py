"""What the supervisor keeps running, and the configuration that says so. Pure."""

import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.launcher.places import Places

WEB_PROCESSES = 2
VALKEY_MEMORY = "256mb"
MOST_DESCRIPTORS = 65536


@dataclass(frozen=True)
class Program:
    """One program, in as many copies as it says, restarted whenever it ends."""

    name: str
    command: Sequence[str]
    priority: int
    """Lower starts earlier and stops later."""
    starts_itself: bool = True
    copies: int = 1
    stop_seconds: int = 10
    environment: Mapping[str, str] = field(default_factory=dict)


def site_programs(places: Places) -> list[Program]:
    """The site itself, started when the database and the engine are ready."""
    python = str(places.python)
    celery = [python, "-m", "celery", "--app", "playground"]
    worker = [*celery, "worker", "--pool", "threads", "--concurrency", "16", "--loglevel", "INFO"]
    worker += ["--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--loglevel", "WARNING"]
    recorder = [python, "manage.py", "record"]
    web = [python, "-m", "playground.serve", "--port", str(places.port)]
    return [
        Program("worker", worker, 30, starts_itself=False, stop_seconds=8),
        Program("recorder", recorder, 35, starts_itself=False),
        Program("beat", beat, 40, starts_itself=False),
        Program("web", web, 50, starts_itself=False, copies=WEB_PROCESSES),
    ]


def valkey_program(places: Places, server: Path) -> Program:
    """The broker. What it forgets when it dies is sent again by the sweep."""
    return Program("valkey", [str(server), str(places.supervision / "valkey.conf")], 20)


def engine_program(command: Sequence[str], environment: Mapping[str, str]) -> Program:
    """A private engine. It ends its own containerd; machines outlive its restarts."""
    return Program("engine", command, 10, stop_seconds=30, environment=environment)


def valkey_configuration(places: Places) -> str:
    """No TCP port, a socket for us alone, nothing on disk, and a bound on memory that loses no message."""
    lines = {
        "port": "0",
        "unixsocket": f'"{places.valkey_socket}"',
        "unixsocketperm": "700",
        "dir": f'"{places.supervision}"',
        "save": '""',
        "appendonly": "no",
        "maxmemory": VALKEY_MEMORY,
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        # It would write its title over its environment, where a later start looks for our mark.
        "set-proc-title": "no",
        "loglevel": "notice",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def configuration(places: Places, programs: Sequence[Program], *, is_root: bool) -> str:
    """supervisord's. Secrets are not in it: programs inherit the supervisor's own environment."""
    own = places.supervision
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    sections = [
        _section("unix_http_server", file=own / "socket", chmod="0700"),
        _section(
            "supervisord",
            nodaemon="true",
            directory=places.root,
            logfile=places.logs / "supervisor.log",
            logfile_maxbytes="5MB",
            logfile_backups="1",
            pidfile=own / "pid",
            childlogdir=own,
            identifier="container-playground",
            minfds=descriptors,
            # Without this line it warns about root; there is no other user to run an engine as.
            raw={"user": "root"} if is_root else {},
        ),
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
        *(_program(places, program) for program in programs),
    ]
    return "\n".join(sections)


def _program(places: Places, program: Program) -> str:
    several = {"numprocs": program.copies, "process_name": "%(program_name)s-%(process_num)d"}
    log_name = program.name + ("-%(process_num)d" if program.copies > 1 else "")
    environment = ",".join(f"{name}={_quoted(value)}" for name, value in program.environment.items())
    return _section(
        f"program:{program.name}",
        command=" ".join(_quoted(word) for word in program.command),
        priority=program.priority,
        autostart=str(program.starts_itself).lower(),
        autorestart="true",
        startsecs=1,
        startretries=1000,
        stopsignal="TERM",
        stopwaitsecs=program.stop_seconds,
        # Only what does not end in time is killed, and then with all that it started.
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile_maxbytes="5MB",
        stdout_logfile_backups="2",
        environment=environment,
        # supervisor fills in this one value twice.
        raw={"stdout_logfile": f"{_escaped(_escaped(places.logs))}/{log_name}.log"}
        | (several if program.copies > 1 else {}),
    )


def _section(header: str, raw: Mapping[str, object] | None = None, **values: object) -> str:
    """`raw` values keep their `%(…)s` for supervisor to fill in."""
    lines = [f"{name} = {_escaped(value)}" for name, value in values.items()]
    lines += [f"{name} = {value}" for name, value in (raw or {}).items()]
    return "\n".join([f"[{header}]", *lines, ""])


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")


def _quoted(word: str) -> str:
    """As supervisor's shlex reads it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
