"""CPU credits: what is earned, what is spent, and when a machine is slowed down."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.limits.credits import CreditPolicy, advance, allowed_cores, policy_of

POLICY = CreditPolicy(baseline=0.25, burst=1.0, most=100)
STEPS = st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1)), max_size=60)
"""Seconds that pass, and the share of what it may have that the machine uses."""


def test_where_there_are_no_credits() -> None:
    assert policy_of(1.0, 0, 100) is None
    assert policy_of(1.0, 1.0, 100) is None
    assert policy_of(1.0, 0.5, 0) is None
    assert policy_of(1.0, 0.25, 100) == POLICY


def test_full_use_is_slowed_down_and_comes_back_when_it_is_earned() -> None:
    left, cores, seconds = POLICY.most, POLICY.burst, 0
    while cores == POLICY.burst:
        left = advance(POLICY, left, used_seconds=1, elapsed=1)
        cores = allowed_cores(POLICY, left, cores)
        seconds += 1
    assert seconds == 134  # 100 seconds of credit, spent at 0.75 a second
    for _ in range(1000):
        left = advance(POLICY, left, used_seconds=0.25, elapsed=1)
        assert allowed_cores(POLICY, left, cores) == POLICY.baseline
    seconds = 0
    while cores == POLICY.baseline:
        left = advance(POLICY, left, used_seconds=0, elapsed=1)
        cores = allowed_cores(POLICY, left, cores)
        seconds += 1
    assert seconds == 20  # 5 % of the most, at 0.25 a second


@given(steps=STEPS, start=st.floats(0, 100))
def test_credit_stays_within_its_bounds(steps: list[tuple[float, float]], start: float) -> None:
    left, cores = start, POLICY.burst
    for elapsed, share in steps:
        left = advance(POLICY, left, share * cores * elapsed, elapsed)
        cores = allowed_cores(POLICY, left, cores)
        assert 0 <= left <= POLICY.most
        assert cores in (POLICY.baseline, POLICY.burst)
        assert left > 0 or cores == POLICY.baseline


@given(steps=STEPS)
def test_nobody_gets_more_than_was_earned(steps: list[tuple[float, float]]) -> None:
    """Over any time: the first credit, the baseline, and one step that nobody saw coming."""
    left, cores, used, passed, longest = POLICY.most, POLICY.burst, 0.0, 0.0, 0.0
    for elapsed, share in steps:
        spent = share * cores * elapsed
        left = advance(POLICY, left, spent, elapsed)
        cores = allowed_cores(POLICY, left, cores)
        used, passed, longest = used + spent, passed + elapsed, max(longest, elapsed)
    crossings = len(steps)
    assert used <= POLICY.most + POLICY.baseline * passed + crossings * POLICY.burst * longest + 1e-6


@given(left=st.floats(0, 100), cores=st.sampled_from([POLICY.baseline, POLICY.burst]))
def test_asking_again_changes_nothing(left: float, cores: float) -> None:
    """A pass that is killed after the engine was told is repeated with what the kernel says now."""
    once = allowed_cores(POLICY, left, cores)
    assert allowed_cores(POLICY, left, once) == once


@given(left=st.floats(0, 100), used=st.floats(-5, 5), elapsed=st.floats(-5, 5))
def test_clocks_and_counters_that_go_back_do_no_harm(left: float, used: float, elapsed: float) -> None:
    assert 0 <= advance(POLICY, left, used, elapsed) <= POLICY.most
