"""What is in the data directory before the site is, and what is taken away after it."""

import subprocess

from deploy.launcher.places import Places


def make(places: Places) -> None:
    """Logs and the supervisor's files are for us alone; what is being made for machines may be passed through."""
    clear(places)
    for folder, mode in ((places.logs, 0o700), (places.data / "supervisor", 0o700), (places.temporary, 0o711)):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)


def clear(places: Places) -> None:
    """Removes what programs put aside and, when they were killed, left. Nothing must run any more."""
    # Half an image may be there, with its mounts still in place: those are the host's own.
    subprocess.run(["rm", "-rf", "--one-file-system", "--", places.temporary], check=False, capture_output=True)
