"""The files of recordings: where they are, and that none is left without a row."""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings

SUFFIX = ".cast"


def directory() -> Path:
    """Where they are, for us alone; made on first use."""
    path: Path = settings.DATA / "recordings"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def path_of(recording_id: UUID) -> Path:
    """Its file. Made of the id alone: nothing that a person chose is in it."""
    return directory() / f"{recording_id.hex}{SUFFIX}"


def remove(recording_ids: Iterable[UUID]) -> None:
    """Absent is success."""
    for recording_id in recording_ids:
        path_of(recording_id).unlink(missing_ok=True)


def kept() -> set[UUID]:
    """Ids of all files."""
    found = set()
    for path in directory().glob(f"*{SUFFIX}"):
        try:
            found.add(UUID(hex=path.stem))
        except ValueError:
            continue
    return found
