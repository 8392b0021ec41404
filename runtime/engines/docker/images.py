"""Images of one engine: looked up, pulled, built, removed."""

import asyncio
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from aiodocker import Docker
from aiodocker.exceptions import DockerError

from runtime.engines.base import ImageDetails, Layer, ProgressCallback
from runtime.engines.docker.client import DockerClient, classified, classify, status_of
from runtime.engines.docker.progress import PullProgress
from runtime.errors import EngineUnavailable, ImageUnavailable, RuntimeFailure
from runtime.images.build import build_context
from runtime.images.recipes import RECIPES
from runtime.images.references import checked, is_reference, registry_of

TEMPORARY = "playground-image-"
READ_SIZE = 1 << 20
REGISTRY_SECONDS = 8.0
"""How long a registry may take for its first word."""
SILENCE_SECONDS = 300.0
"""How long a registry that said nothing is not asked again."""
NO_REGISTRY = re.compile("dial tcp|lookup|timeout|connection refused|no such host|Client.Timeout|EOF", re.IGNORECASE)


class DockerImages:
    """Each call goes to the engine: other processes pull and remove images too."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client
        self._building = asyncio.Lock()
        self._silent_until: dict[str, float] = {}

    async def find(self, reference: str) -> ImageDetails | None:
        """Without its layers: one request. None when the engine does not have it."""
        return await self._look(reference, layers=False)

    async def details(self, reference: str) -> ImageDetails | None:
        return await self._look(reference, layers=True)

    async def _look(self, reference: str, *, layers: bool) -> ImageDetails | None:
        if not is_reference(reference):
            return None
        docker = await self._client.api()
        try:
            async with classified():
                found = await docker.images.inspect(reference)
                history: Any = await docker.images.history(reference) if layers else []
        except RuntimeFailure as error:
            if status_of(error) == 404:
                return None
            raise
        return _details(reference, found, history)

    async def pull(self, reference: str, progress: ProgressCallback) -> ImageDetails:
        """A registry that does not answer is found out within seconds, and then not asked for some minutes."""
        registry = registry_of(checked(reference))
        if time.monotonic() < self._silent_until.get(registry, 0.0):
            raise ImageUnavailable(f"The registry {registry} does not answer.")
        docker = await self._client.api()
        layers = PullProgress()
        messages = aiter(docker.images.pull(reference, stream=True))
        progress(None, f"Asking the registry {registry}")
        try:
            async with asyncio.timeout(REGISTRY_SECONDS) as patience:
                async for message in messages:
                    patience.reschedule(None)
                    progress(*layers.step(message))
        except TimeoutError as error:
            self._silent_until[registry] = time.monotonic() + SILENCE_SECONDS
            raise ImageUnavailable(f"The registry {registry} does not answer.") from error
        except (DockerError, OSError) as error:
            failure = _unavailable(error)
            if isinstance(failure, ImageUnavailable) and NO_REGISTRY.search(str(error)):
                self._silent_until[registry] = time.monotonic() + SILENCE_SECONDS
                raise ImageUnavailable(f"The registry {registry} does not answer.") from error
            raise failure from error
        return await self._made(reference)

    async def build(self, recipe: str, reference: str, progress: ProgressCallback) -> ImageDetails:
        """Builds what the recipe stands on first, when the engine does not have that."""
        checked(reference)
        if recipe not in RECIPES:
            raise ImageUnavailable(f"There is no recipe {recipe}.")
        chosen = RECIPES[recipe]
        if chosen.base is not None and await self.find(chosen.base.reference) is None:
            await self.build(chosen.base.recipe, chosen.base.reference, progress)
        docker = await self._client.api()
        async with self._building:
            await asyncio.to_thread(_clear_left_over)
            with TemporaryDirectory(prefix=f"{TEMPORARY}{os.getpid()}-") as temporary:
                place = Path(temporary)
                base = await self._save(docker, chosen.base.reference, place) if chosen.base else None
                context = await build_context(chosen, place, base, progress)
                await self._run_build(docker, context, reference, progress)
        return await self._made(reference)

    async def _save(self, docker: Docker, reference: str, place: Path) -> Path:
        target = place / "base.tar"
        async with classified(None), docker.images.export_image(reference) as content:
            with target.open("wb") as file:
                while data := await content.read(READ_SIZE):
                    file.write(data)
        return target

    async def _run_build(self, docker: Docker, context: Path, reference: str, progress: ProgressCallback) -> None:
        progress(0.9, "Handing the image to the engine")
        with context.open("rb") as file:
            try:
                built: AsyncIterator[dict[str, Any]] = docker.images.build(
                    fileobj=file, encoding="identity", tag=reference, rm=True, forcerm=True, stream=True
                )
                async for _ in built:
                    pass
            except (DockerError, OSError) as error:
                raise _unavailable(error) from error
        progress(1.0, "The image is ready")

    async def _made(self, reference: str) -> ImageDetails:
        details = await self.details(reference)
        if details is None:
            raise ImageUnavailable(f"{reference} is not there, though the engine reported no error.")
        return details

    async def remove(self, reference: str) -> None:
        if not is_reference(reference):
            return
        docker = await self._client.api()
        try:
            async with classified():
                await docker.images.delete(reference)
        except RuntimeFailure as error:
            if status_of(error) != 404:
                raise


def _clear_left_over() -> None:
    """A worker that was killed while it built an image left half of it, named after the worker's process."""
    for left in Path(gettempdir()).glob(f"{TEMPORARY}*-*"):
        process = left.name.removeprefix(TEMPORARY).partition("-")[0]
        if not Path("/proc", process).exists():
            shutil.rmtree(left, ignore_errors=True)


def _unavailable(error: Exception) -> RuntimeFailure:
    """A registry's or a build's no is about the image; only a lost engine is about the engine."""
    failure = classify(error)
    return failure if isinstance(failure, EngineUnavailable) else ImageUnavailable(str(failure))


def _details(reference: str, found: dict[str, Any], history: Sequence[dict[str, Any]]) -> ImageDetails:
    config = found.get("Config") or {}
    pinned = next((name.partition("@")[2] for name in found.get("RepoDigests") or []), "")
    return ImageDetails(
        reference=reference,
        digest=pinned or found["Id"],
        size_bytes=found["Size"],
        layers=_layers((found.get("RootFS") or {}).get("Layers") or [], history),
        user=config.get("User") or "",
        command=[*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])],
        environment=config.get("Env") or [],
        working_directory=config.get("WorkingDir") or "/",
        architecture=found.get("Architecture", ""),
        volumes=sorted(config.get("Volumes") or {}),
    )


def _layers(digests: Sequence[str], history: Sequence[dict[str, Any]]) -> list[Layer]:
    """History tells the newest first, and has steps that made no layer: they have no size."""
    steps = [step for step in reversed(history) if step["Size"] > 0]
    if len(steps) != len(digests):  # layers without a size of their own: the words can't be matched
        return [Layer(digest, 0, "") for digest in digests] if history else []
    return [Layer(digest, step["Size"], step["CreatedBy"]) for digest, step in zip(digests, steps, strict=True)]
