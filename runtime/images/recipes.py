"""Images that can be made without a registry, from Debian's packages. Data alone.

Each recipe adds one layer to its base, so that images share what they have in common.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SUITE = "bookworm"


@dataclass(frozen=True, slots=True)
class Base:
    recipe: str
    reference: str
    """Where the base is kept on the engine."""


@dataclass(frozen=True, slots=True)
class Recipe:
    name: str
    words: str
    """What its layer adds, as the layer list shows it."""
    packages: Sequence[str]
    """Debian packages beyond the minimal system; for a `static` recipe the one package whose files are the image."""
    base: Base | None = None
    static: bool = False
    """No Debian system: one static program."""
    command: Sequence[str] = ("/bin/sh",)
    environment: Mapping[str, str] = field(default_factory=dict)


BUSYBOX = Recipe(
    "busybox",
    "busybox, one static program with 270 names",
    ["busybox-static"],
    static=True,
    command=["sh"],
    environment={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
)
DEBIAN = Recipe(
    "debian",
    "Debian 12 with an editor and network tools",
    ["bash-completion", "ca-certificates", "curl", "iproute2", "iputils-ping", "less", "nano", "procps", "vim-tiny"],
    command=["bash"],
    environment={"LANG": "C.UTF-8"},
)
_DEBIAN_IMAGE = Base("debian", "playground/debian:12")
PYTHON = Recipe(
    "python",
    "Python 3.11 with pip and venv",
    ["python3", "python3-pip", "python3-venv", "python-is-python3"],
    base=_DEBIAN_IMAGE,
    command=["python3"],
    # The person's machine is theirs alone, so pip may write into it, as in the registry's python image.
    environment={"LANG": "C.UTF-8", "PIP_BREAK_SYSTEM_PACKAGES": "1", "PIP_ROOT_USER_ACTION": "ignore"},
)
NGINX = Recipe(
    "nginx",
    "nginx, a web server",
    ["nginx-light"],
    base=_DEBIAN_IMAGE,
    command=["nginx", "-g", "daemon off;"],
    environment={"LANG": "C.UTF-8"},
)

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in (BUSYBOX, DEBIAN, PYTHON, NGINX)}


def packages_of(recipe: Recipe) -> list[str]:
    """Its own, and those of all it stands on: an image is always made whole, then cut against its base."""
    below = packages_of(RECIPES[recipe.base.recipe]) if recipe.base else []
    return [*below, *recipe.packages]


def dockerfile(recipe: Recipe) -> str:
    """What the engine does with the layer."""
    lines = [
        f"FROM {recipe.base.reference if recipe.base else 'scratch'}",
        "ADD layer.tar /",
        *(f"ENV {name}={_quoted(value)}" for name, value in recipe.environment.items()),
        f"LABEL playground.recipe={recipe.name}",
        "CMD [" + ", ".join(_quoted(word) for word in recipe.command) + "]",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
