"""SQLite has one writer. Whoever comes second sleeps and looks again, in steps of up to 100 ms, while others overtake.

Under a burst that was most of the time that a request took, with the lock free meanwhile, and some waited for seconds.
So the transactions of one process wait for each other here, where the next one wakes at once; SQLite's own waiting is
left for other processes.
"""

import threading

from django.db.backends.sqlite3 import base

_turn = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection."""

    _has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        # What an earlier transaction did not give back, however it ended, nobody would.
        self._end_turn()
        # After that long SQLite says by itself what is wrong: the order is a courtesy, its lock is what counts.
        self._has_turn = _turn.acquire(timeout=self.settings_dict["OPTIONS"].get("timeout", 5))
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # Django's stubs lack it
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turn.release()
