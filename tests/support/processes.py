"""What runs on this host."""

import contextlib
from pathlib import Path


def processes_with(text: str) -> list[str]:
    """The command lines of those that have `text` in their command, environment or working directory. No zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or entry.name == str(Path("/proc/self").resolve().name):
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            about = [command, (entry / "environ").read_bytes(), str((entry / "cwd").readlink()).encode()]
            if any(text.encode() in part for part in about):
                found.append(f"{entry.name}: {command.replace(bytes(1), b' ').decode(errors='replace')}")
    return found
