"""kill -9 of the web processes under a page on which somebody types: it comes back by itself to the same shell."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chromium import PATIENCE_MILLISECONDS, chromium
from tests.e2e.person import Person, first_administrator
from tests.e2e.terminal import TerminalOnPage, end, start
from tests.e2e.words import shown
from tests.support.mistreated import IMAGE, Mistreated

WEB = ("web", "web2")
LINES = 30


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def administrator(site: Mistreated, browser: Browser) -> Person:
    return first_administrator(site.stack, browser)


@pytest.fixture
def page(site: Mistreated, browser: Browser, administrator: Person) -> Iterator[Page]:
    """A signed-in page; an error in it fails the test."""
    context = browser.new_context(base_url=site.stack.url, storage_state=administrator.state)  # type: ignore[arg-type]  # as it came
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert not problems


def test_what_is_typed_while_web_is_away_arrives_once(site: Mistreated, page: Page) -> None:
    terminal = start(page, IMAGE)
    terminal.type("n=0; echo first-$$.")
    terminal.expect(r"^first-\d+\.")
    for away in (1, 2):
        for name in WEB:
            site.stack.kill(name)
        expect(shown(page, "The connection was cut")).to_be_visible()
        terminal.type("n=$((n+1)); echo while-away-$n-$((6*7)).")
        expect(shown(page, "What you type is kept.")).to_be_visible()
        for name in WEB:
            site.stack.run(name)
        terminal.expect(rf"^while-away-{away}-42\.")
        expect(shown(page, "The connection was cut")).to_be_hidden()
    terminal.type("echo last-$$-$n.")
    terminal.expect(r"^last-\d+-2\.")
    assert number(terminal, "first") == number(terminal, "last"), "it is another shell"
    end(page)


def test_typing_on_while_each_web_process_dies(site: Mistreated, page: Page) -> None:
    terminal = start(page, IMAGE)
    path = f"/tmp/lines-{site.stack.data.name}"
    kills = dict(zip((LINES // 3, 2 * LINES // 3), WEB, strict=True))
    for line in range(1, LINES + 1):
        terminal.type(f"echo {line} >>{path}")
        if line in kills:
            site.stack.kill(kills[line])
            site.stack.run(kills[line])
    terminal.type(f"wc -l <{path}; echo over-$((6*7))")
    terminal.expect("^over-42")
    written = file_of(site, page.url.rstrip("/").rsplit("/", 1)[-1], path)
    assert written == "".join(f"{line}\n" for line in range(1, LINES + 1))
    terminal.type(f"rm {path}; echo removed-$((6*7))")
    terminal.expect("^removed-42")
    end(page)


def number(terminal: TerminalOnPage, label: str) -> str:
    """The process id that the shell said."""
    line = terminal.rows.locator("> div").filter(has_text=label + "-").last.inner_text()
    return line.strip().rstrip(".").split("-")[1]


def file_of(site: Mistreated, session_id: str, path: str) -> str:
    """What the administrator's shell has written, read by the administrator's program."""
    key = site.stack.manage("create_api_key", "admin").strip()
    answer = httpx.get(
        f"{site.stack.url}/api/v1/sessions/{session_id}/files",
        params={"path": path},
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )
    return answer.raise_for_status().text
