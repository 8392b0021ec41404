"""How much output may be on its way to one client, from how long its acknowledgements take. Without any I/O.

What is on its way can't be taken back: at 1 Mbit/s, half a megabyte is four seconds in which Ctrl-C seems to do
nothing. So a client is sent what it takes in a round trip, which is measured, and 60 ms more, so that its link never
runs dry.
"""

from collections import deque
from typing import NamedTuple

LARGEST = 512 << 10
"""Bytes; what the protocol promises at most."""
FIRST = 16 << 10
SMALLEST = 4 << 10
"""Bytes; sandboxd takes no smaller window."""
QUEUE_SECONDS = 0.06
"""How long output may wait on the way, beyond the round trip."""
PATIENCE_SECONDS = 0.25
"""A client that has got a whole window and acknowledges nothing for so long, and two round trips, wants more of it at
once, as one that acknowledges every 64 KiB does."""
_NOTED_EVERY = 1024
"""Bytes between two messages whose time is noted: what is noted is bounded, however small messages are."""
_SMALL = 4096
_ROUND_TRIPS = 8


class _Sent(NamedTuple):
    end: int
    when: float
    acknowledged: int
    """Offset that was acknowledged when it was sent."""
    alone: bool
    """It was small, and nothing else was on its way."""


class Pacing:
    """Of one client, from `offset` on. Times are seconds of any one clock."""

    def __init__(self, offset: int) -> None:
        self.window = FIRST
        self._end = offset
        self._acknowledged = offset
        self._noted: deque[_Sent] = deque()
        self._round_trips: deque[float] = deque(maxlen=_ROUND_TRIPS)
        self._shortest = float("inf")
        self._grows_at = offset
        """What was sent since the window grew is not acknowledged before this offset is."""

    @property
    def exhausted(self) -> bool:
        """Whether the client is to be sent nothing before it acknowledges something."""
        return self._end - self._acknowledged >= self.window

    @property
    def message(self) -> int:
        """The most bytes of one message: a client acknowledges the first of a window while others are on their way."""
        return max(_NOTED_EVERY, self.window // 4)

    @property
    def patience(self) -> float:
        """Seconds after which a client that got a whole window and acknowledged nothing is `starved`."""
        return PATIENCE_SECONDS + 2 * (self._round_trip if self._shortest < float("inf") else 0.0)

    @property
    def _round_trip(self) -> float:
        return min(self._round_trips, default=self._shortest)

    def sent(self, end: int, now: float) -> None:
        """Output up to `end` is on its way."""
        last = self._noted[-1].end if self._noted else self._acknowledged
        if not self._noted or end - last >= _NOTED_EVERY:
            alone = self._end == self._acknowledged and end - self._end <= _SMALL
            self._noted.append(_Sent(end, now, self._acknowledged, alone))
        self._end = end

    def skipped(self, end: int) -> None:
        """Output up to `end` was never sent, and counts as acknowledged as far as it goes."""
        self._noted.clear()
        self._acknowledged += end - self._end
        self._end = end

    def acknowledged(self, offset: int, now: float) -> bool:
        """The client has processed output up to `offset`. Whether the window has changed."""
        self._acknowledged = max(self._acknowledged, offset)
        latest = None
        while self._noted and self._noted[0].end <= offset:
            latest = self._noted.popleft()
        return latest is not None and self._learn(latest, now)

    def starved(self) -> bool:
        """A whole window has brought no acknowledgement. Whether the window has changed."""
        return self._become(self.window * 2)

    def _learn(self, sent: _Sent, now: float) -> bool:
        took = max(now - sent.when, 1e-6)
        if sent.alone:
            self._round_trips.append(took)
        self._shortest = min(self._shortest, took)
        round_trip = self._round_trip
        waited = took - round_trip
        if waited > QUEUE_SECONDS:
            rate = (self._acknowledged - sent.acknowledged) / took
            return self._become(min(self.window, int(rate * (round_trip + QUEUE_SECONDS * 0.75))))
        used = sent.end - sent.acknowledged >= self.window / 2
        if used and self._acknowledged >= self._grows_at:
            self._grows_at = self._end
            return self._become(self.window * 2 if waited < QUEUE_SECONDS / 4 else self.window * 5 // 4)
        return False

    def _become(self, window: int) -> bool:
        before, self.window = self.window, max(SMALLEST, min(LARGEST, window))
        return self.window != before
