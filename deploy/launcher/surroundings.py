"""The environment variables of what we start."""

import os

from deploy.launcher.leftovers import MARK
from deploy.launcher.needs import ADMINISTRATION
from deploy.launcher.places import Places


def for_tools(places: Places) -> dict[str, str]:
    """For the set-up's own commands: the environment's programs come first."""
    path = os.environ.get("PATH", os.defpath)
    mine = {
        "PATH": f"{places.environment / 'bin'}:{path}:{ADMINISTRATION}",
        "VIRTUAL_ENV": str(places.environment),
        "PYTHONUNBUFFERED": "1",
    }
    # make would hand our own flags and variables to the makes below.
    dropped = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "PYTHONHOME"}
    # Some containers set it. Each start of ours would compile anew: 6 s for pytest alone.
    dropped.add("PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in dropped} | mine


def for_site(places: Places, docker_host: str) -> dict[str, str]:
    """For the site's processes and commands: what the person set, and defaults for what nobody did."""
    environment = for_tools(places) | {"PLAYGROUND_DATA": str(places.near), "TMPDIR": str(places.temporary)}
    environment.setdefault("PLAYGROUND_URL", places.url)
    if docker_host:
        environment["DOCKER_HOST"] = docker_host
    return environment


def marked(environment: dict[str, str], places: Places) -> dict[str, str]:
    """For what the supervisor runs: a later start finds it by this."""
    return environment | {MARK: str(places.data)}
