"""What a person sees while the set-up runs: one line a step, with its number and how long it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

UP_TO_DATE = "up to date"


class Progress:
    """`[3/9] front end … 12 s`. On a terminal the line counts the seconds while the step runs."""

    def __init__(self, steps: int, out: TextIO = sys.stdout) -> None:
        self._steps = steps
        self._done = 0
        self._out = out
        self._live = out.isatty()
        self._line = ""
        self._since = 0.0
        self._result = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """The next step, in the body. Whatever ends it ends the line as well."""
        self._done += 1
        self._since = time.monotonic()
        self._result = ""
        self._line = f"[{self._done}/{self._steps}] {title} … "
        self._write(self._line)
        try:
            yield
        except Exception:
            self._end("failed")
            raise
        except BaseException:
            self._end("stopped")
            raise
        self._end(self._result or self._seconds())

    def result(self, words: str) -> None:
        """What the line says in the end, instead of the time that the step took."""
        self._result = words

    def tick(self, words: str = "") -> None:
        """It still runs; `words` say what it does just now. Shown on a terminal only."""
        if self._live:
            room = max(0, 98 - len(self._line))
            self._write(f"\r\033[K{self._line}{self._seconds()} {words[:room]}")

    def say(self, text: str) -> None:
        """A line of its own, between steps."""
        self._write(text + "\n")

    def _end(self, words: str) -> None:
        if self._live:
            self._write("\r\033[K" + self._line)
        self._write(words + "\n")

    def _seconds(self) -> str:
        seconds = time.monotonic() - self._since
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
