"""Numbers in words, for sentences that people read."""


def duration(seconds: float) -> str:
    """`75` is "1 minute 15 seconds"; at most two units, never negative. The pages' `ui/words.ts` says the same."""
    whole = max(0, round(seconds))
    counts = (("hour", whole // 3600), ("minute", whole // 60 % 60), ("second", whole % 60))
    named = [f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in counts if count][:2]
    return " ".join(named) or "0 seconds"


def size(count: float) -> str:
    """Bytes, in the units of limits: `1610612736` is "1.5 GiB". The pages' `ui/words.ts` says the same."""
    value, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    # What would be rounded to 1024 of a unit is 1 of the next.
    while value >= 1023.5 and len(units) > 1:
        value /= 1024
        units.pop(0)
    digits = f"{value:.0f}" if value >= 100 or units[0] == "B" else f"{value:.1f}".removesuffix(".0")
    return f"{digits} {units[0]}"


def clock(seconds: int) -> str:
    """`247` is "4:07", `3847` is "1:04:07"; never negative. The pages' `ui/words.ts` says the same."""
    whole = max(0, seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
