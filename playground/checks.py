"""Checks of `manage.py check` and of every start: what is missing, and what to do about it."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Advice
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from playground.engine import allowed_choice, docker_host, sandboxd_binary
from playground.settings.environment import EngineChoice

LONGEST_SOCKET_PATH = 107
"""Bytes of a Unix socket's path that Linux takes."""
SOCKET_NAME_BYTES = len("/machines//control") + 32


@register(Tags.security)
def check_engine_choice(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """PLAYGROUND_ENGINE names an engine that this installation may use."""
    try:
        allowed_choice()
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint="Set PLAYGROUND_ENGINE to auto, docker, or, with DEBUG=1, process.",
                id="playground.E001",
            )
        ]
    return []


@register(Tags.files)
def check_data_directory(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """We can write into PLAYGROUND_DATA, and sockets in it have paths that are short enough."""
    data: Path = settings.DATA
    if not os.access(data, os.W_OK | os.X_OK):
        return [
            Error(
                f"PLAYGROUND_DATA: {data} can't be written.",
                hint="Choose another or change its owner.",
                id="playground.E002",
            )
        ]
    if len(os.fsencode(data)) + SOCKET_NAME_BYTES > LONGEST_SOCKET_PATH:
        hint = f"A Unix socket's path has at most {LONGEST_SOCKET_PATH} bytes: choose a directory with a shorter path."
        return [Error(f"PLAYGROUND_DATA: {data} is too long.", hint=hint, id="playground.E003")]
    return []


@register(Tags.files)
def check_sandboxd(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The daemon of the machines is built."""
    binary = sandboxd_binary()
    if os.access(binary, os.X_OK):
        return []
    return [
        Advice(
            f"{binary} is missing.",
            hint="Build it with `make -C runtime/sandboxd`; no machine starts without.",
            id="playground.W001",
        )
    ]


@register(Tags.database)
def check_database(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The database answers."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        hint = "Check DATABASE_URL and that the database server runs."
        return [Error(f"DATABASE_URL: the database does not answer: {error}", hint=hint, id="playground.E004")]
    return []


@register("services", deploy=True)
def check_broker(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The broker answers."""
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
        with client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        hint = "Check REDIS_URL and that Valkey or Redis runs; `make run` starts one."
        return [Advice(f"REDIS_URL: the broker does not answer: {error}", hint=hint, id="playground.W002")]
    return []


@register("services", deploy=True)
def check_engine(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Something listens where the Docker Engine should be."""
    if settings.PLAYGROUND_ENGINE not in (EngineChoice.AUTO, EngineChoice.DOCKER):
        return []
    host = docker_host()
    try:
        _connect(host)
    except OSError as error:
        hint = "Start the engine, or set DOCKER_HOST to where it listens; this account must be allowed to connect."
        return [Advice(f"DOCKER_HOST: {host}: {error.strerror or error}", hint=hint, id="playground.W003")]
    return []


def _connect(host: str) -> None:
    parts = urlsplit(host)
    if parts.scheme == "unix":
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            probe.connect(parts.path)
    else:
        socket.create_connection((parts.hostname or "", parts.port or 2375), timeout=2).close()
