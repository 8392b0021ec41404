"""What the documents say of files, commands and variables is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "runtime/sandboxd/PROTOCOL.md"])
OPERATORS = ROOT / "docs" / "operators.md"
ENVIRONMENT_READERS = [*(ROOT / "playground" / "settings").glob("*.py"), ROOT / "playground" / "serve.py"]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)


def _prose(text: str) -> str:
    """Without blocks of code, where brackets mean something else."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def _links(text: str) -> list[str]:
    prose = re.sub(r"`[^`]*`", "", _prose(text))
    return re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r'(?:src|srcset|href)="([^"]+)"', prose)


def _anchors(text: str) -> set[str]:
    """As the common renderers make them of headings."""
    headings = re.findall(r"^#+ +(.+)$", _prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _verbs() -> set[str]:
    makefile = (ROOT / "Makefile").read_text()
    return {name for line in re.findall(r"^([a-z][a-z -]*):", makefile, re.MULTILINE) for name in line.split()}


def test_there_are_documents() -> None:
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/index.md"} <= set(NAMES)


@every_document
def test_links_and_pictures_lead_somewhere(document: Path) -> None:
    broken = []
    for link in _links(document.read_text()):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        target = (document.parent / path).resolve() if path else document
        found = target.is_relative_to(ROOT) and target.exists()
        if not found or (anchor and anchor not in _anchors(target.read_text())):
            broken.append(link)
    assert not broken


def test_every_document_can_be_found_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in _links(index.read_text())} | {index}
    assert [name for name, document in zip(NAMES, DOCUMENTS, strict=True) if document not in linked] == []


def _variables_read() -> set[str]:
    reading = re.compile(r'(?:env\.\w+|environ\.get)\(\s*"([A-Z][A-Z0-9_]*)"')
    return {name for path in ENVIRONMENT_READERS for name in reading.findall(path.read_text())}


def test_every_variable_is_described() -> None:
    section = OPERATORS.read_text().split("## Environment", 1)[1].split("\n## ", 1)[0]
    described = set(re.findall(r"^\| `([A-Z][A-Z0-9_]*)` \|", section, re.MULTILINE))
    assert described == _variables_read()


@every_document
def test_no_path_of_somebodys_machine(document: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:home|Users|work|root/|tmp/\w+/)\S*", document.read_text()) == []


@every_document
def test_every_make_verb_exists(document: Path) -> None:
    named = re.findall(r"(?:^|[`\s])make ([a-z][a-z-]*)(?=[\s`.,;:)]|$)", _commands(document.read_text()), re.MULTILINE)
    assert set(named) <= _verbs()


def _commands(text: str) -> str:
    """Blocks of code and `code`: elsewhere make is an English verb."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *(f"`{code}`" for code in re.findall(r"`([^`\n]+)`", _prose(text)))])


def test_make_verbs_are_found() -> None:
    readme = _commands((ROOT / "README.md").read_text())
    assert {"run", "test"} <= set(re.findall(r"make ([a-z]+)", readme))
    assert {"run", "test", "check", "bench", "clean"} <= _verbs()


@every_document
def test_every_management_command_exists(document: Path) -> None:
    ours = {path.stem for path in ROOT.glob("playground/*/management/commands/*.py")} | {"check"}
    assert set(re.findall(r"manage\.py ([a-z_]+)", document.read_text())) <= ours
