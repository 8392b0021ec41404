"""Which steps can be skipped: a step leaves a stamp, the hash of all that went into it."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

SKIPPED = {"node_modules", "__pycache__", ".vite", "dist"}


class Stamp:
    """Says whether `outputs` are there and were made from `inputs` (files and folders) as they are now."""

    def __init__(self, path: Path, inputs: Iterable[Path], outputs: Iterable[Path], salt: str = "") -> None:
        self._path = path
        self._outputs = list(outputs)
        self._now = fingerprint(inputs, salt)

    def is_current(self) -> bool:
        """Whether the step would make what is there already."""
        if not all(output.exists() for output in self._outputs):
            return False
        return self._path.is_file() and self._path.read_text() == self._now

    def write(self) -> None:
        """The step is done."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(self._now)

    def clear(self) -> None:
        """The step begins: what it leaves behind when it fails must not be taken for a result."""
        self._path.unlink(missing_ok=True)


def fingerprint(inputs: Iterable[Path], salt: str = "") -> str:
    """Of names and contents. A missing input counts as one that is empty of everything."""
    digest = hashlib.sha256(salt.encode())
    for top in inputs:
        for path in _files(top):
            digest.update(f"\0{path.relative_to(top.parent)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(top: Path) -> Iterator[Path]:
    if top.is_file():
        yield top
    elif top.is_dir():
        for path in sorted(top.iterdir()):
            if path.name not in SKIPPED and not path.is_symlink():
                yield from _files(path)
