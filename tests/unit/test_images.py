import io
import json
import tarfile
from pathlib import Path

import pytest

from runtime.images.catalogue import CATALOGUE, CatalogueEntry
from runtime.images.layers import index_image, write_difference
from runtime.images.recipes import RECIPES, dockerfile, packages_of
from runtime.images.references import is_reference, registry_of


def add(archive: tarfile.TarFile, name: str, content: bytes = b"", **changes: object) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for attribute, value in changes.items():
        setattr(entry, attribute, value)
    archive.addfile(entry, io.BytesIO(content) if entry.isreg() else None)


def saved_image(place: Path, *layers: Path) -> Path:
    saved = place / "saved.tar"
    manifest = [{"Layers": [layer.name for layer in layers]}]
    with tarfile.open(saved, "w") as archive:
        add(archive, "manifest.json", json.dumps(manifest).encode())
        for layer in layers:
            archive.add(layer, layer.name)
    return saved


def test_a_layer_has_only_what_is_new_or_otherwise(tmp_path: Path) -> None:
    base, whole, layer = tmp_path / "base.tar", tmp_path / "whole.tar", tmp_path / "layer.tar"
    with tarfile.open(base, "w") as archive:
        add(archive, "etc/", type=tarfile.DIRTYPE, mode=0o40755)
        add(archive, "etc/same", b"same", mode=0o100644)
        add(archive, "etc/changed", b"before")
        add(archive, "etc/mode", b"x", mode=0o644)
        add(archive, "etc/gone", b"stays below")
    with tarfile.open(whole, "w") as archive:
        add(archive, "./etc", type=tarfile.DIRTYPE, mode=0o755)
        add(archive, "./etc/same", b"same", mode=0o644, mtime=99)
        add(archive, "./etc/changed", b"behind")
        add(archive, "./etc/mode", b"x", mode=0o755)
        add(archive, "./etc/new", b"new", uid=5)
        add(archive, "./etc/link", type=tarfile.SYMTYPE, linkname="new")
    assert write_difference(whole, index_image(saved_image(tmp_path, base)), layer) == 4
    with tarfile.open(layer) as archive:
        assert archive.getnames() == ["./etc/changed", "./etc/mode", "./etc/new", "./etc/link"]
        assert archive.getmember("./etc/new").uid == 5
        member = archive.extractfile("./etc/changed")
        assert member is not None
        assert member.read() == b"behind"


def test_upper_layers_hide_lower_ones(tmp_path: Path) -> None:
    lower, upper, layer = tmp_path / "lower.tar", tmp_path / "upper.tar", tmp_path / "layer.tar"
    for path, content in ((lower, b"old"), (upper, b"new")):
        with tarfile.open(path, "w") as archive:
            add(archive, "f", content)
    assert write_difference(upper, index_image(saved_image(tmp_path, lower, upper)), layer) == 0


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.slug)
def test_every_entry_can_be_made_without_a_registry(entry: CatalogueEntry) -> None:
    assert entry.recipe in RECIPES
    assert entry.shell
    assert entry.description.endswith(".")


def test_a_base_is_in_the_catalogue_under_the_same_name() -> None:
    built = {entry.recipe: entry.reference for entry in CATALOGUE}
    for recipe in RECIPES.values():
        if recipe.base is not None:
            assert built[recipe.base.recipe] == recipe.base.reference


def test_a_recipe_is_made_with_all_that_it_stands_on() -> None:
    assert set(packages_of(RECIPES["debian"])) < set(packages_of(RECIPES["python"]))


def test_what_the_engine_is_told() -> None:
    text = dockerfile(RECIPES["nginx"])
    assert text.startswith("FROM playground/debian:12\nADD layer.tar /\n")
    assert 'CMD ["nginx", "-g", "daemon off;"]' in text
    assert dockerfile(RECIPES["busybox"]).startswith("FROM scratch\n")


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        ("debian:12", "docker.io"),
        ("library/debian", "docker.io"),
        ("docker.io/library/debian", "docker.io"),
        ("localhost/x", "localhost"),
        ("registry.example:5000/x", "registry.example:5000"),
    ],
)
def test_registry_of_a_reference(reference: str, registry: str) -> None:
    assert registry_of(reference) == registry


@pytest.mark.parametrize(
    "reference",
    [
        "debian",
        "playground/debian:12",
        "localhost:5000/a/b_c:v1.2-x",
        f"docker.io/library/x:1@sha256:{'a' * 64}",
        "a.b/c",
    ],
)
def test_a_reference(reference: str) -> None:
    assert is_reference(reference)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "../x",
        "a/../b",
        "a//b",
        "A/b c",
        "x?y=1",
        "x#y",
        "x%2e",
        "-x",
        "x:",
        "x@sha256:12",
        "é",
        "x\n",
        "x" * 256,
        "/x",
        "x/",
    ],
)
def test_no_reference(text: str) -> None:
    assert not is_reference(text)
