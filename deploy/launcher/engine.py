"""Which engine this copy uses: one that answers, or a private one of its own."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from deploy.launcher.needs import Need
from runtime.engines.docker import private

WHY = "runs the containers"


@dataclass(frozen=True)
class EnginePlan:
    """`docker_host` is empty when the site is told to use no Docker engine; `needs` must be met before it can start."""

    docker_host: str = ""
    is_private: bool = False
    needs: list[Need] = field(default_factory=list)


def plan(data: Path) -> EnginePlan:
    """An engine that answers is used as it is; a private one that was made once stays this copy's engine."""
    if os.environ.get("PLAYGROUND_ENGINE", "auto") not in {"auto", "docker"}:
        return EnginePlan()
    if wanted := os.environ.get("DOCKER_HOST"):
        if private.answers(wanted):
            return EnginePlan(wanted)
        need = Need(f"an engine at DOCKER_HOST={wanted}: none answers", WHY, advice="Start it, or unset DOCKER_HOST.")
        return EnginePlan(needs=[need])
    if not _prepared(data) and (found := private.find()):
        return EnginePlan(found)
    missing = tuple(private.missing_packages())
    if private.can_install() and (missing or os.geteuid() != 0):
        return EnginePlan(needs=[Need("a container engine", WHY, ("docker.io",), str(private.can_install()))])
    needs = [Need("a container engine", WHY, missing)] if missing else []
    return EnginePlan(private.docker_host(data), is_private=True, needs=needs)


def _prepared(data: Path) -> bool:
    """False as well where we may not even look; that is told apart from this."""
    try:
        return private.prepared(data)
    except OSError:
        return False
