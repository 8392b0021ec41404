"""Numbers in words, for sentences that people read."""


def duration(seconds: float) -> str:
    """`75` is "1 minute 15 seconds"; at most two units, never negative. The pages' `ui/words.ts` says the same."""
    whole = max(0, round(seconds))
    counts = (("hour", whole // 3600), ("minute", whole // 60 % 60), ("second", whole % 60))
    named = [f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in counts if count][:2]
    return " ".join(named) or "0 seconds"


def size(count: float) -> str:
    """Bytes, in units of 1024: `1610612736` is "1.50 GiB"."""
    return f"{count / (1 << 30):.2f} GiB" if count >= 1 << 30 else f"{count / (1 << 20):.1f} MiB"


def clock(seconds: int) -> str:
    """`247` is "4:07", `3847` is "1:04:07"; never negative. The pages' `ui/words.ts` says the same."""
    whole = max(0, seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def human_size(size: int) -> str:
    """117000000 is `117 MB`."""
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} {units[0]}" if value >= 10 or units[0] == "B" else f"{value:.1f} {units[0]}"
