"""People take turns, whatever one of them asks for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from playground.sessions.fairness import Served, Waiting, in_turn

START = datetime(2026, 1, 1, tzinfo=UTC)


def asked(*owners: int) -> list[Waiting]:
    """One session each, in this order."""
    return [Waiting(UUID(int=number), owner, START + timedelta(seconds=number)) for number, owner in enumerate(owners)]


def owners(order: list[Waiting]) -> list[int]:
    return [each.owner_id for each in order]


def test_fifty_of_one_do_not_hold_up_the_one_of_another() -> None:
    waiting = asked(*[1] * 50, 2)
    assert owners(in_turn(waiting, {}))[:3] == [1, 2, 1]


def test_who_is_served_now_waits_for_who_is_not() -> None:
    waiting = asked(1, 1, 2)
    assert owners(in_turn(waiting, {1: Served(at_work=4)})) == [2, 1, 1]


def test_with_one_place_the_turn_goes_round() -> None:
    """Nobody is at work when the next is chosen: the one who was served last comes last."""
    waiting = asked(1, 2, 3)
    served = {1: Served(0, START), 2: Served(0, START - timedelta(seconds=1))}
    assert owners(in_turn(waiting, served)) == [3, 2, 1]


def test_ones_own_come_in_the_order_they_were_asked_for() -> None:
    waiting = asked(1, 1, 1)
    assert in_turn(waiting[::-1], {}) == waiting


@given(st.lists(st.integers(0, 4), max_size=60), st.dictionaries(st.integers(0, 4), st.integers(0, 8)))
def test_everybody_gets_as_much_as_anybody_else(line: list[int], at_work: dict[int, int]) -> None:
    waiting = asked(*line)
    order = in_turn(waiting, {owner: Served(count) for owner, count in at_work.items()})
    assert sorted(order, key=lambda each: each.since) == waiting
    had = {owner: at_work.get(owner, 0) for owner in line}
    left = {owner: line.count(owner) for owner in line}
    for each in order:
        behind = [had[owner] for owner, count in left.items() if count]
        assert had[each.owner_id] == min(behind)
        had[each.owner_id] += 1
        left[each.owner_id] -= 1
