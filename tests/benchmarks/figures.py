"""Samples, their percentiles, and the table that `make bench` prints."""

from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


@dataclass(frozen=True)
class Figure:
    """One thing measured: samples of one unit."""

    name: str
    unit: str
    values: Sequence[float]

    @property
    def p50(self) -> float:
        return percentile(self.values, 0.50)

    @property
    def p95(self) -> float:
        return percentile(self.values, 0.95)

    @property
    def p99(self) -> float:
        return percentile(self.values, 0.99)

    def row(self) -> str:
        return (
            f"  {self.name:<52} {self.p50:>9.2f} {self.p95:>9.2f} {self.p99:>9.2f} {self.unit:<5} n={len(self.values)}"
        )


@dataclass
class Comparison:
    """Ours beside the peer's, from the same run, and the ratio that was aimed at."""

    title: str
    ours: Figure
    peer: Figure | None
    reach: str
    met: bool | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        return self.ours.p50 / self.peer.p50 if self.peer else None

    def lines(self) -> list[str]:
        verdict = {True: "reached", False: "NOT reached", None: "stated"}[self.met]
        ratio = f"ratio of p50 {self.ratio:.3f}; " if self.ratio is not None else ""
        found = [self.title, self.ours.row()]
        if self.peer:
            found.append(self.peer.row())
        found.append(f"  -> {ratio}reach: {self.reach}: {verdict}")
        return found + [f"     {note}" for note in self.notes]


def table(comparisons: Sequence[Comparison], machine: str) -> str:
    """All comparisons as text for a terminal and for docs/performance.md."""
    head = f"  {'':<52} {'p50':>9} {'p95':>9} {'p99':>9}"
    blocks = ["\n".join(item.lines()) for item in comparisons]
    return "\n\n".join([machine, head, *blocks])
