"""What one file system has and another has not: the layer of an image. Pure, on tar archives."""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

READ_SIZE = 1 << 20

Signature = tuple[object, ...]


def index_image(saved: Path) -> dict[str, Signature]:
    """What each path of a saved image (`docker save`) is; later layers over earlier ones."""
    with tarfile.open(saved) as archive:
        manifest = archive.extractfile("manifest.json")
        if manifest is None:
            raise ValueError("a saved image has no manifest.json")
        layers: list[str] = json.load(manifest)[0]["Layers"]
        index: dict[str, Signature] = {}
        for name in layers:
            content = archive.extractfile(name)
            if content is None:
                raise ValueError("a saved image lacks one of its layers")
            with tarfile.open(fileobj=content) as layer:
                index.update(_index(layer))
    return index


def _index(archive: tarfile.TarFile) -> Iterator[tuple[str, Signature]]:
    for member in archive:
        yield _path(member.name), _signature(archive, member)


def write_difference(whole: Path, base: dict[str, Signature], target: Path) -> int:
    """Writes the members of `whole` that `base` lacks or has otherwise; returns their number.

    What `base` has and `whole` lacks stays: a layer of ours only adds.
    """
    written = 0
    with tarfile.open(whole) as source, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as layer:
        for member in source:
            if base.get(_path(member.name)) == _signature(source, member):
                continue
            content = source.extractfile(member) if member.isreg() else None
            layer.addfile(member, content)
            written += 1
    return written


def _path(name: str) -> str:
    return name.removeprefix("./").strip("/")


def _signature(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Signature:
    """Times are left out: they differ where nothing else does."""
    return (
        member.type,
        member.mode & 0o7777,  # some engines put the type there as well
        member.uid,
        member.gid,
        _path(member.linkname) if member.islnk() else member.linkname,
        member.size,
        _digest(archive.extractfile(member)) if member.isreg() and member.size else "",
    )


def _digest(content: IO[bytes] | None) -> str:
    digest = hashlib.sha256()
    while content is not None and (data := content.read(READ_SIZE)):
        digest.update(data)
    return digest.hexdigest()
