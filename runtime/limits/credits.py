"""CPU credits: a machine may use all of its cores while it has credit, and its baseline when that is used up.

Pure. Credit is time of one core, in seconds. It is earned at the rate of the baseline, spent by what is used, and never
less than nothing nor more than the policy's most: who uses the baseline all day neither gains nor loses.
"""

from dataclasses import dataclass

BACK_SHARE = 0.05
"""Of the most credit: earned before a machine has all its cores again, so that it does not go up and down."""
LEAST_BACK = 1.0


@dataclass(frozen=True, slots=True)
class CreditPolicy:
    baseline: float
    """Cores; above 0 and below `burst`."""
    burst: float
    """Cores."""
    most: float
    """Seconds of one core; a machine begins with them."""

    @property
    def back(self) -> float:
        """The credit at which a machine that was slowed down has all its cores again."""
        return min(self.most, max(LEAST_BACK, self.most * BACK_SHARE))


def policy_of(cpus: float, baseline: float, most: float) -> CreditPolicy | None:
    """None where there is nothing to earn or to spend."""
    return CreditPolicy(baseline, cpus, most) if 0 < baseline < cpus and most > 0 else None


def advance(policy: CreditPolicy, left: float, used_seconds: float, elapsed: float) -> float:
    """The credit after so many seconds in which so much was used."""
    return min(policy.most, max(0.0, left + policy.baseline * max(0.0, elapsed) - max(0.0, used_seconds)))


def allowed_cores(policy: CreditPolicy, left: float, now_cores: float) -> float:
    """What the machine should have, given what it has: so it can be asked again after any crash."""
    if left <= 0:
        return policy.baseline
    slowed = now_cores < policy.burst
    return policy.baseline if slowed and left < policy.back else policy.burst
