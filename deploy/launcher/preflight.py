"""All that is missing, in one message, before anything is half done."""

from __future__ import annotations

from deploy.launcher.errors import SetupError
from deploy.launcher.needs import Need


def packages_for(needs: list[Need], *, may_install: bool) -> list[str]:
    """The Debian packages that meet all the needs, each once.

    Raises SetupError that names every need when one of them can't be met by installing, or we may not install.
    """
    if not needs:
        return []
    if not may_install or any(not need.packages for need in needs):
        raise SetupError(message(needs, may_install=may_install))
    return list(dict.fromkeys(package for need in needs for package in need.packages))


def message(needs: list[Need], *, may_install: bool) -> str:
    """What a person reads: each need with its reason and what helps, and one command for all that Debian has."""
    lines = ["This is missing; nothing was installed:", ""]
    for need in needs:
        lines.append(f"  * {need.what}")
        lines.append(f"      for: {need.why}")
        if need.advice:
            lines.append(f"      {need.advice}")
    packages = list(dict.fromkeys(package for need in needs for package in need.packages))
    if packages:
        command = f"apt-get install {' '.join(packages)}"
        lines.append("")
        if may_install:
            lines.append(f"What Debian has is installed by itself once the rest is there: {command}")
        else:
            lines.append(f"On Debian or Ubuntu: sudo {command}")
    return "\n".join(lines)
