"""Where a client stands over any number of connections, without one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ProtocolViolation
from runtime.remote.progress import ACKNOWLEDGE_EVERY, INPUT_WINDOW, InputProgress, OutputProgress


def test_output_begins_where_the_site_begins() -> None:
    progress = OutputProgress()
    progress.begin(500)
    progress.take(500, 10)
    assert progress.process(510) == 510
    progress.begin(510)
    progress.take(510, 1)


@pytest.mark.parametrize("offset", [99, 101])
def test_output_that_does_not_follow_is_refused(offset: int) -> None:
    progress = OutputProgress(100)
    progress.begin(100)
    with pytest.raises(ProtocolViolation):
        progress.take(offset, 1)


def test_a_gap_is_passed_and_a_wrong_one_refused() -> None:
    progress = OutputProgress(10)
    progress.begin(50)
    progress.skip(10, 50)
    progress.take(50, 1)
    for begin, end in [(50, 60), (51, 51), (51, 40)]:
        with pytest.raises(ProtocolViolation):
            progress.skip(begin, end)


def test_it_acknowledges_all_or_much() -> None:
    progress = OutputProgress(0)
    progress.begin(0)
    progress.take(0, 3 * ACKNOWLEDGE_EVERY)
    assert progress.process(100) is None
    assert progress.process(ACKNOWLEDGE_EVERY) == ACKNOWLEDGE_EVERY
    assert progress.process(ACKNOWLEDGE_EVERY + 5) is None
    assert progress.process(3 * ACKNOWLEDGE_EVERY) == 3 * ACKNOWLEDGE_EVERY
    assert progress.process(3 * ACKNOWLEDGE_EVERY) is None


def test_what_was_not_used_can_be_asked_for_again() -> None:
    progress = OutputProgress(0)
    progress.begin(0)
    progress.take(0, 100)
    progress.process(40)
    progress.forget()
    assert progress.received == 40


@given(st.integers(0, 2**32))
def test_input_arrives_once_over_any_cuts(seed: int) -> None:
    """The site accepts what it likes of what was sent, and connections are cut at any moment."""
    chance = random.Random(seed)
    progress, arrived, typed = InputProgress(), bytearray(), bytearray()
    for _ in range(60):
        data = chance.randbytes(chance.randrange(300))
        typed += data
        progress.type(data)
        pieces = []
        while (piece := progress.next()) is not None:
            pieces.append(piece)
        for offset, sent in pieces[: chance.randrange(len(pieces) + 1)]:
            assert offset <= len(arrived)
            arrived[offset:] = arrived[offset:] + sent[len(arrived) - offset :]
        if chance.random() < 0.5:
            progress.accept(chance.randint(progress.accepted, len(arrived)))
        progress.rewind(len(arrived))
    progress.rewind(len(arrived))
    while (piece := progress.next()) is not None:
        arrived += piece[1]
        progress.accept(len(arrived))
    assert arrived == typed


def test_no_more_is_sent_than_the_window() -> None:
    progress = InputProgress()
    progress.type(bytes(3 * INPUT_WINDOW))
    sent = 0
    while (piece := progress.next()) is not None:
        sent += len(piece[1])
    assert sent == INPUT_WINDOW
    progress.accept(1000)
    assert len((progress.next() or (0, b""))[1]) == 1000


@pytest.mark.parametrize("offset", [-1, 4])
def test_accepting_what_was_not_sent_is_refused(offset: int) -> None:
    progress = InputProgress()
    progress.type(b"abc")
    progress.next()
    with pytest.raises(ProtocolViolation):
        progress.accept(offset)
