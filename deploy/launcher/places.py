"""Where everything of one copy is."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

LONGEST_DATA = 45
"""Bytes. The address of a Unix socket holds 107, and machines and the engine keep theirs some levels below."""


@dataclass(frozen=True)
class Places:
    """The paths that the launcher makes and reads. `data` is absolute; nothing here touches the disk."""

    root: Path
    data: Path
    port: int

    @property
    def environment(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    @property
    def build(self) -> Path:
        return self.root / "build"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def temporary(self) -> Path:
        """For what programs put aside, such as an image that is being made. Emptied before and after each run."""
        return self.data / "tmp"

    @property
    def supervision(self) -> Path:
        """Generated configuration and socket of the supervisor; for us alone."""
        return self.near / "supervisor"

    @property
    def valkey_socket(self) -> Path:
        """Where the site's settings look for it when REDIS_URL is not given."""
        return self.near / "valkey.sock"

    @property
    def near(self) -> Path:
        """The data directory by a path that is short enough for the sockets in it."""
        if len(os.fsencode(self.data)) <= LONGEST_DATA:
            return self.data
        name = f"playground-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]}"
        return runtime_directory() / name

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def runtime_directory() -> Path:
    """A short directory that is emptied at boot: ours alone where the system has one."""
    if os.geteuid() == 0 and Path("/run").is_dir():
        return Path("/run")
    return Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108  # a link of our own, checked when made


def make_near(places: Places) -> None:
    """Makes the short link to the data directory where one is needed. Raises OSError when the name is another's."""
    link = places.near
    if link == places.data:
        return
    if link.is_symlink():
        if link.lstat().st_uid != os.geteuid():
            raise FileExistsError(f"{link} belongs to somebody else")
        link.unlink()
    link.symlink_to(places.data, target_is_directory=True)


def remove_near(places: Places) -> None:
    """Removes that link. Absent is success."""
    if places.near != places.data:
        places.near.unlink(missing_ok=True)
