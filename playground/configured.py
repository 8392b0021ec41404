"""`python -m playground.configured`: one line that says what is wrong with this installation's settings, or nothing."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured

SECONDS = 5


def problem() -> str | None:
    """A value that can't be used, or a server that does not answer. Names the variable, never a password."""
    try:
        from playground import settings
    except ImproperlyConfigured as error:
        return str(error)
    if "REDIS_URL" in os.environ and (said := _broker_problem(settings.REDIS_URL)):
        return f"REDIS_URL: no broker answers there: {said}"
    if "DATABASE_URL" in os.environ and (said := _database_problem(settings.DATABASES["default"])):
        return f"DATABASE_URL: no database answers there: {said}"
    return None


def _broker_problem(url: str) -> str | None:
    import redis

    client = redis.Redis.from_url(url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS)
    try:
        client.ping()
    except redis.RedisError as error:
        return str(error)
    finally:
        client.close()
    return None


def _database_problem(config: dict[str, object]) -> str | None:
    from playground.settings.environment import POSTGRESQL

    if config["ENGINE"] != POSTGRESQL:
        return None
    import psycopg

    given = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    words = {name: str(config[key]) for name, key in given.items() if config.get(key)}
    try:
        psycopg.connect(psycopg.conninfo.make_conninfo(**words, connect_timeout=SECONDS)).close()
    except psycopg.Error as error:
        return " ".join(str(error).split())
    return None


if __name__ == "__main__":
    sys.exit(problem())
