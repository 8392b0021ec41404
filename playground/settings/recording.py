"""What recordings may take of the disk, and how long they are kept. Anything wrong raises ImproperlyConfigured."""

from dataclasses import dataclass

from playground.settings.capacity import MIB, count, env


@dataclass(frozen=True, slots=True)
class RecordingLimits:
    most_bytes: int
    """Of one terminal's recording; it ends there. What arrived at once may go beyond it by a megabyte or two."""
    most_bytes_of_a_person: int
    """Of all that a person's sessions have recorded."""
    days: int
    """So long after its end a recording is kept."""
    least_free_bytes: int = 512 * MIB
    """With less free space on the disk recordings end."""


def recording_limits() -> RecordingLimits:
    """PLAYGROUND_RECORDING_MIB, PLAYGROUND_RECORDINGS_MIB, PLAYGROUND_RECORDING_DAYS."""
    return RecordingLimits(
        most_bytes=MIB * count("PLAYGROUND_RECORDING_MIB", env.str("PLAYGROUND_RECORDING_MIB", default="64")),
        most_bytes_of_a_person=MIB
        * count("PLAYGROUND_RECORDINGS_MIB", env.str("PLAYGROUND_RECORDINGS_MIB", default="512")),
        days=count("PLAYGROUND_RECORDING_DAYS", env.str("PLAYGROUND_RECORDING_DAYS", default="30")),
    )


RECORDING = recording_limits()
