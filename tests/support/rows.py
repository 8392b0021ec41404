"""Rows of a site on SQLite as they are this moment, for who wants to meet its processes in the middle of something."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

MOMENT = 0.001
"""Between two looks."""


class Rows:
    """Reads alone, and holds no lock while nobody asks."""

    def __init__(self, data: Path) -> None:
        self._path = data / "playground.sqlite3"

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What that SELECT finds now."""
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, isolation_level=None)) as database:
            return database.execute(query, values).fetchall()

    def one(self, query: str, *values: object) -> Any:
        """The first column of the first row; None when there is no row."""
        found = self.all(query, *values)
        return found[0][0] if found else None

    def meet(self, condition: Callable[[], bool], what: str, within: float) -> None:
        """Returns a moment after `condition` holds. Blocks: call it in a thread."""
        until = time.monotonic() + within
        while not condition():
            assert time.monotonic() < until, f"not within {within} s: {what}"
            time.sleep(MOMENT)
