"""What faults there were, what was going on when they came, and what they left: as a table for a person."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.support.crowd import STEPS
from tests.support.unowned import KINDS, Thing


@dataclass(slots=True)
class _Line:
    times: int = 0
    doing: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


class FaultTable:
    """A line for each kind of fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self._lines = {fault: _Line() for fault in faults}
        self._first: dict[Thing, str] = {}
        self._last = ""

    def note(self, fault: str, doing: Mapping[str, int], found: Iterable[Thing]) -> None:
        """That it came in the middle of that, and what was without an owner a moment later."""
        line = self._lines[fault]
        line.times += 1
        line.doing.update(doing)
        self._last = fault
        for thing in found:
            if thing not in self._first:
                self._first[thing] = fault
                line.found[thing.kind] += 1

    def left(self, things: Iterable[Thing]) -> None:
        """What is there after the sweep is of the fault after which it was seen first."""
        for thing in things:
            self._lines[self._first.get(thing, self._last)].left[thing.kind] += 1

    def __str__(self) -> str:
        head = ["fault", "times", *STEPS, *KINDS]
        rows = [[name, str(line.times), *_counts(line)] for name, line in self._lines.items()]
        total = _Line()
        for line in self._lines.values():
            total.times += line.times
            for mine, other in ((total.doing, line.doing), (total.found, line.found), (total.left, line.left)):
                mine.update(other)
        rows.append(["all", str(total.times), *_counts(total)])
        widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
        return "\n".join(
            "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in cells)
            for cells in (list(enumerate(zip(row, widths, strict=True))) for row in [head, *rows])
        )


def _counts(line: _Line) -> list[str]:
    return [*(str(line.doing[step]) for step in STEPS), *(f"{line.found[kind]}/{line.left[kind]}" for kind in KINDS)]
