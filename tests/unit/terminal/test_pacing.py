"""The window of a client's output, on links and with clients of many kinds; time is a number."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from runtime.terminal.pacing import FIRST, LARGEST, SMALLEST, Pacing

MBIT = 125_000
"""Bytes a second."""
Acknowledges = Callable[[int, int, int], int]
"""From offsets acknowledged, processed and received: what to acknowledge now."""


def when_idle(acknowledged: int, processed: int, received: int) -> int:
    """As the page does."""
    return processed if processed == received or processed - acknowledged >= 65_536 else acknowledged


def every_64_kib(acknowledged: int, processed: int, _received: int) -> int:
    return processed if processed - acknowledged >= 65_536 else acknowledged


def never(acknowledged: int, _processed: int, _received: int) -> int:
    return acknowledged


@dataclass
class Flood:
    """A program that writes without end, over a link, to a client that draws at once."""

    rate: float
    round_trip: float
    acknowledges: Acknowledges = when_idle

    def __post_init__(self) -> None:
        self.pacing = Pacing(0)
        self.now = 0.0
        self.sent = self.received = self.told = self.heard = 0
        self.free_at = 0.0
        self.starving_since = 0.0
        self.arriving: deque[tuple[float, int]] = deque()
        self.answers: deque[tuple[float, int]] = deque()
        self.waits: list[tuple[float, float]] = []
        """When, and how long what is sent now will be under way: so long Ctrl-C seems to do nothing."""

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self._send()
            times = [queue[0][0] for queue in (self.arriving, self.answers) if queue]
            times.append(self.starving_since + self.pacing.patience)
            self.now = max(self.now + 1e-6, min(times))
            self._arrive()
            self._hear()
            if self.pacing.exhausted and self.now >= self.starving_since + self.pacing.patience:
                self.pacing.starved()
                self.starving_since = self.now

    def _send(self) -> None:
        while (room := self.heard + self.pacing.window - self.sent) > 0:
            size = min(room, self.pacing.message, 65_536)
            self.sent += size
            self.pacing.sent(self.sent, self.now)
            self.free_at = max(self.free_at, self.now) + size / self.rate
            self.arriving.append((self.free_at + self.round_trip / 2, self.sent))
            self.waits.append((self.now, self.free_at + self.round_trip / 2 - self.now))
            self.starving_since = self.now

    def _arrive(self) -> None:
        while self.arriving and self.arriving[0][0] <= self.now:
            self.received = self.arriving.popleft()[1]
            told = self.acknowledges(self.told, self.received, self.received)
            if told > self.told:
                self.told = told
                self.answers.append((self.now + self.round_trip / 2, told))

    def _hear(self) -> None:
        while self.answers and self.answers[0][0] <= self.now:
            self.heard = self.answers.popleft()[1]
            self.pacing.acknowledged(self.heard, self.now)
            self.starving_since = self.now

    def longest_wait(self, after: float) -> float:
        """Beyond half a round trip, which nobody can take away."""
        return max(wait for when, wait in self.waits if when >= after) - self.round_trip / 2


def typed_a_little(flood: Flood) -> Flood:
    """A prompt and some echoes come first, as they do."""
    for _ in range(10):
        flood.now += 0.2
        flood.pacing.sent(flood.sent + 20, flood.now)
        flood.sent = flood.received = flood.told = flood.heard = flood.sent + 20
        flood.now += flood.round_trip
        flood.pacing.acknowledged(flood.heard, flood.now)
    flood.free_at = flood.now
    return flood


@pytest.mark.parametrize("round_trip", [0.002, 0.03, 0.15, 0.4])
@pytest.mark.parametrize("rate", [MBIT / 2, MBIT, 8 * MBIT, 100 * MBIT])
def test_little_waits_and_the_link_is_used(rate: float, round_trip: float) -> None:
    flood = typed_a_little(Flood(rate, round_trip))
    start = flood.now
    flood.run(20)
    assert flood.longest_wait(start) < 0.3, "also at the beginning, when nothing is known"
    assert flood.longest_wait(start + 5) < 0.09 + 1.2 * round_trip
    best = min(rate, LARGEST / round_trip)
    before = flood.received
    flood.run(10)
    assert (flood.received - before) / 10 > 0.45 * best


def test_a_fast_link_gets_all_there_is() -> None:
    flood = Flood(50_000_000, 0.002)
    flood.run(1)
    assert flood.pacing.window == LARGEST


def test_a_link_that_becomes_slow() -> None:
    flood = typed_a_little(Flood(100 * MBIT, 0.01))
    flood.run(5)
    flood.rate = MBIT
    changed = flood.now
    flood.run(10)
    assert flood.longest_wait(changed + 6) < 0.11


def test_who_acknowledges_rarely_is_fed() -> None:
    flood = Flood(8 * MBIT, 0.01, every_64_kib)
    flood.run(10)
    assert flood.received > 0.3 * 8 * MBIT * 10


def test_who_never_acknowledges_gets_what_is_promised_and_no_more() -> None:
    flood = Flood(100 * MBIT, 0.01, never)
    flood.run(3)
    assert flood.received == LARGEST


def test_typing_changes_nothing() -> None:
    flood = typed_a_little(Flood(MBIT, 0.1))
    assert flood.pacing.window == FIRST
    assert not flood.pacing.exhausted


def test_what_is_noted_is_bounded() -> None:
    """However small messages are, and however few acknowledgements come."""
    pacing = Pacing(0)
    for end in range(1, LARGEST):
        pacing.sent(end, 0.0)
    assert len(pacing._noted) <= LARGEST / 1024 + 1


def test_a_gap_counts_as_acknowledged() -> None:
    pacing = Pacing(0)
    pacing.sent(FIRST, 0.0)
    assert pacing.exhausted
    pacing.skipped(1 << 20)
    assert pacing.exhausted, "what was sent before is still on its way"
    pacing.acknowledged(1 << 20, 1.0)
    assert not pacing.exhausted


def test_it_never_leaves_its_bounds() -> None:
    pacing = Pacing(0)
    for _ in range(20):
        pacing.starved()
    assert pacing.window == LARGEST
    pacing.sent(10_000, 0.0)
    pacing.sent(20_000, 0.0)
    pacing.acknowledged(10_000, 0.001)
    pacing.acknowledged(20_000, 1000.0)
    assert pacing.window == SMALLEST
