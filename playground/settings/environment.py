"""The environment variables that the site knows, typed, with defaults. Anything wrong raises ImproperlyConfigured."""

import contextlib
import os
import secrets
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = environ.Env()


class EngineChoice(StrEnum):
    AUTO = "auto"
    DOCKER = "docker"
    KUBERNETES = "kubernetes"
    PROCESS = "process"


def data_directory() -> Path:
    """PLAYGROUND_DATA: everything that this installation keeps; made on first use."""
    path = Path(env.str("PLAYGROUND_DATA", default=str(BASE_DIR / "var"))).absolute()
    try:
        path.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"PLAYGROUND_DATA: can't make {path}: {error.strerror}") from error
    return path


def kept_value(name: str, data: Path, length: int) -> str:
    """A random value that is made once and kept in the data directory, readable by us alone."""
    path = data / name
    with tempfile.NamedTemporaryFile("w", dir=data, prefix=f".{name}-") as draft:
        draft.write(secrets.token_hex(length))
        draft.flush()
        # Two processes may start at once: the first link wins, and both read the same value.
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, path)
    return path.read_text().strip()


def database(data: Path) -> dict[str, Any]:
    """DATABASE_URL: sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/NAME; a socket's directory as %2Frun%2F…"""
    value = str(env.str("DATABASE_URL", default=f"sqlite:///{data / 'playground.sqlite3'}"))
    try:
        config = dict(env.db_url_config(value))
    except Exception as error:
        # It may hold a password, so neither the value nor the parser's words about it are repeated.
        raise ImproperlyConfigured(f"DATABASE_URL: can't be read ({type(error).__name__})") from None
    engine = config.get("ENGINE")
    if engine not in (SQLITE, POSTGRESQL) or not config.get("NAME"):
        raise ImproperlyConfigured("DATABASE_URL: it is neither sqlite:///PATH nor postgres://USER:PASSWORD@HOST/NAME")
    options = config.setdefault("OPTIONS", {})
    if engine == SQLITE:
        # Transactions of one process queue, instead of sleeping until they happen to find the lock free.
        config["ENGINE"] = QUEUEING_SQLITE
        # Transactions begin with the write lock: what one has read is still true when it writes.
        options |= {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": SQLITE_INIT}
    else:
        config["HOST"] = unquote(config.get("HOST") or "")
        # Each request has a thread of its own, so without a pool it would open, and the server start, a connection.
        config["CONN_HEALTH_CHECKS"] = True
        options["pool"] = {"min_size": 1, "max_size": 20, "timeout": 20}
    return config


SQLITE = "django.db.backends.sqlite3"
QUEUEING_SQLITE = "playground.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"
# A reader and a writer don't wait for each other; a crash of the machine may lose the last moment, but no more.
SQLITE_INIT = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;"


def broker_url(data: Path) -> str:
    """REDIS_URL: redis://, rediss:// or unix:// with an absolute path."""
    value = str(env.str("REDIS_URL", default=f"unix://{data / 'valkey.sock'}"))
    parts = urlsplit(value)
    if parts.scheme == "unix" and parts.path.startswith("/"):
        return value
    if parts.scheme in ("redis", "rediss") and parts.hostname:
        return value
    raise ImproperlyConfigured("REDIS_URL: it is neither redis://HOST:PORT/0 nor unix:///PATH")


def engine_choice() -> EngineChoice:
    """PLAYGROUND_ENGINE."""
    value = env.str("PLAYGROUND_ENGINE", default="auto")
    try:
        return EngineChoice(value)
    except ValueError:
        choices = ", ".join(EngineChoice)
        raise ImproperlyConfigured(f"PLAYGROUND_ENGINE: {value!r} is none of {choices}") from None


def public_url() -> str:
    """PLAYGROUND_URL: how people reach the site, e.g. https://play.example.org; no path."""
    value = str(env.str("PLAYGROUND_URL", default="http://127.0.0.1:8000")).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(f"PLAYGROUND_URL: {value!r} is not like https://play.example.org")
    return value
