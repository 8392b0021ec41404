"""Real engines only: what these tests say of Docker is what a daemon did."""

import platform
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from runtime.engines.docker.engine import DockerEngine
from tests.support.docker import ROOT, ensure_image, running_engine


@pytest.fixture(scope="session")
def sandboxd() -> Path:
    subprocess.run(["make", "-s", "-C", str(ROOT / "runtime/sandboxd")], check=True)
    return ROOT / "build/sandboxd" / platform.machine() / "sandboxd"


@pytest_asyncio.fixture(params=[True, False], ids=["shared", "bridged"])
async def engine(request: pytest.FixtureRequest, sandboxd: Path) -> AsyncIterator[DockerEngine]:
    """Once for each way to reach machines."""
    async with running_engine(sandboxd, shared_filesystem=request.param) as running:
        await ensure_image(running, "busybox")
        yield running


@pytest_asyncio.fixture
async def local_engine(sandboxd: Path) -> AsyncIterator[DockerEngine]:
    """It finds out by itself how to reach machines."""
    async with running_engine(sandboxd) as running:
        await ensure_image(running, "busybox")
        yield running
