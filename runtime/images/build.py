"""From a recipe to what the engine's builder takes: a tar archive with a Dockerfile and one layer."""

import asyncio
import io
import tarfile
from pathlib import Path

from runtime.engines.base import ProgressCallback
from runtime.images.layers import index_image, write_difference
from runtime.images.packages import debian_system, static_program
from runtime.images.recipes import Recipe, dockerfile, packages_of


async def build_context(recipe: Recipe, place: Path, base: Path | None, progress: ProgressCallback) -> Path:
    """Makes the context in the directory `place`, which the caller removes, whatever happens.

    `base` is the saved image that the recipe stands on. Raises ImageUnavailable with what went wrong.
    """
    layer, whole = place / "layer.tar", place / "whole.tar"
    progress(0.0, f"Building {recipe.words}")
    if recipe.static:
        await static_program(recipe.packages[0], layer, progress)
    elif base is None:
        await debian_system(packages_of(recipe), layer, progress)
    else:
        await debian_system(packages_of(recipe), whole, progress)
        progress(0.85, "Comparing with the image below")
        await asyncio.to_thread(_cut, whole, base, layer)
    context = place / "context.tar"
    await asyncio.to_thread(_pack, context, layer, dockerfile(recipe))
    return context


def _cut(whole: Path, base: Path, layer: Path) -> None:
    write_difference(whole, index_image(base), layer)
    whole.unlink()
    base.unlink()


def _pack(context: Path, layer: Path, text: str) -> None:
    with tarfile.open(context, "w") as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))
        archive.add(layer, "layer.tar", filter=_anonymous)
    layer.unlink()


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The engine's build cache looks at these: the same layer must look the same."""
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
    return entry
