"""The images that come with the project. Data alone; what an administrator adds is in the database."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    slug: str
    title: str
    description: str
    """For a person who chooses."""
    reference: str
    """What it is called when it is built here."""
    recipe: str | None
    """Its name in `recipes.RECIPES`; None: it can't be built."""
    registry_reference: str | None
    """Where a registry has it; None: it is always built."""
    shell: Sequence[str]
    """argv of a terminal."""
    command: Sequence[str] = ()
    """argv of the service that runs in it; empty: it has none."""
    tags: Sequence[str] = ()
    pool_size: int = 0
    """Machines to keep ready."""


CATALOGUE: Sequence[CatalogueEntry] = (
    CatalogueEntry(
        slug="debian",
        title="Debian 12",
        description="A small Debian with bash and the usual tools. The place to begin.",
        reference="playground/debian:12",
        recipe="debian",
        registry_reference="docker.io/library/debian:12",
        shell=["bash"],
        tags=["linux", "debian"],
        pool_size=2,
    ),
    CatalogueEntry(
        slug="python",
        title="Python 3",
        description="Python with pip and venv, on Debian 12.",
        reference="playground/python:3.11",
        recipe="python",
        registry_reference="docker.io/library/python:3.11-slim-bookworm",
        shell=["bash"],
        tags=["python", "language"],
    ),
    CatalogueEntry(
        slug="busybox",
        title="BusyBox",
        description="Two megabytes and a shell: the smallest image there is. Starts at once.",
        reference="playground/busybox:1",
        recipe="busybox",
        registry_reference="docker.io/library/busybox:1.37",
        shell=["sh"],
        tags=["linux", "small"],
        pool_size=1,
    ),
    CatalogueEntry(
        slug="nginx",
        title="nginx",
        description="A web server on port 80, and a shell beside it to look at what it does.",
        reference="playground/nginx:1",
        recipe="nginx",
        registry_reference="docker.io/library/nginx:1.28",
        shell=["bash"],
        command=["nginx", "-g", "daemon off;"],
        tags=["service", "web"],
    ),
)
