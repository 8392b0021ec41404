"""Programs that must be on the host before anything is done. Reads, changes nothing; runs on old Pythons to say so."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PYTHON = (3, 11)
NODE = (20, 19)
ADMINISTRATION = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where root's programs are; not on everybody's PATH."""


@dataclass(frozen=True)
class Need:
    """Something that is missing: what, what for, the Debian packages that bring it (if any do), and what else helps."""

    what: str
    why: str
    packages: tuple[str, ...] = ()
    advice: str = ""


def program(name: str) -> str | None:
    """Its path, also where only root looks."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":" + ADMINISTRATION)


def python_needs() -> list[Need]:
    """The interpreter that runs this, and its venv module."""
    words = f"Python {PYTHON[0]}.{PYTHON[1]} or newer"
    if sys.version_info[:2] < PYTHON:
        newer = [name for name in (f"python3.{minor}" for minor in range(20, PYTHON[1] - 1, -1)) if program(name)]
        here = f"{words} ({sys.executable} is {sys.version_info[0]}.{sys.version_info[1]})"
        advice = f"make run PYTHON={newer[0]}" if newer else "Install it and start with: make run PYTHON=python3.11"
        return [Need(here, "runs the site", advice=advice)]
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return []
    package = "python3-venv" if sys.executable.endswith("python3") else f"python3.{sys.version_info[1]}-venv"
    return [Need(f"the venv module of {sys.executable}", "keeps our packages apart", (package,))]


def node_needs() -> list[Need]:
    """Node.js and npm."""
    words = f"Node.js {NODE[0]}.{NODE[1]} or newer with npm"
    version = _version("node")
    packages = ("nodejs", "npm") if _debian_has_node() else ()
    advice = "Install it from https://nodejs.org or with your package manager."
    if version is None:
        return [Need(words, "builds the pages", packages, advice)]
    if version < NODE:
        here = ".".join(map(str, version))
        return [Need(f"{words} ({program('node')} is {here})", "builds the pages", (), advice)]
    if program("npm") is None:
        return [Need("npm", "builds the pages", packages, "It comes with Node.js from https://nodejs.org.")]
    return []


def _version(name: str) -> tuple[int, int] | None:
    path = program(name)
    if path is None:
        return None
    out = subprocess.run([path, "--version"], stdout=subprocess.PIPE, text=True, check=False, timeout=30).stdout
    found = re.search(r"(\d+)\.(\d+)", out)
    return (int(found[1]), int(found[2])) if found else None


def _debian_has_node() -> bool:
    """Debian has a Node.js that is new enough since 13."""
    try:
        release = Path("/etc/os-release").read_text()
    except OSError:
        return False
    found = re.search(r'^VERSION_ID="?(\d+)', release, re.MULTILINE)
    return bool(re.search(r"^ID=debian$", release, re.MULTILINE)) and found is not None and int(found[1]) >= 13


def test_needs() -> list[Need]:
    """What the tests use and the site does not."""
    needs = []
    if not any(program(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        needs.append(Need("Chromium", "the e2e tests drive it", ("chromium", "fonts-dejavu-core")))
    if not (program("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        needs.append(Need("PostgreSQL's server", "the integration tests run on it as well", ("postgresql",)))
    return needs + compiler_needs()


def compiler_needs() -> list[Need]:
    """The site needs none: sandboxd is built with the compiler of a wheel."""
    if program("cc"):
        return []
    return [Need("a C compiler", "checks sandboxd and builds it with sanitizers", ("gcc", "libc6-dev"))]


def network_needs() -> list[Need]:
    """Without it machines have no network, and all else works. Installed as `recipe_needs` are."""
    if program("nft"):
        return []
    return [Need("nftables", "filters what machines reach on the network", ("nftables",))]


def recipe_needs() -> list[Need]:
    """What makes images where no registry answers. Only root on Debian gets them installed without asking for them."""
    needs = []
    if not program("mmdebstrap"):
        needs.append(Need("mmdebstrap", "makes images without a registry", ("mmdebstrap",)))
    if not program("busybox"):
        needs.append(Need("busybox", "the smallest image is made of it", ("busybox-static",)))
    return needs
