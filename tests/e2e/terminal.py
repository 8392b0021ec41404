"""The terminal on the page, as a person sees and uses it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect


class TerminalOnPage:
    """The terminal that somebody works in."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def pane(self) -> Locator:
        return self._page.locator("pg-terminal.current")

    @property
    def rows(self) -> Locator:
        """What is drawn."""
        return self.pane.locator(".xterm-rows")

    def expect(self, pattern: str) -> None:
        """Waits until a line that matches is on the screen."""
        expect(self.rows.locator("> div").filter(has_text=re.compile(pattern)).first).to_be_visible()

    def expect_prompt(self) -> None:
        """Waits for a shell."""
        self.expect(r"[#$]\s*$")

    @property
    def keyboard(self) -> Locator:
        """What has the focus while keys go to the terminal."""
        return self.pane.locator(".xterm-helper-textarea")

    def type(self, line: str) -> None:
        """A line and Enter."""
        self.keyboard.focus()
        self._page.keyboard.type(line)
        self._page.keyboard.press("Enter")

    def count(self, pattern: str) -> int:
        """How many lines on the screen match."""
        return self.rows.locator("> div").filter(has_text=re.compile(pattern)).count()


@contextmanager
def another(page: Page) -> Iterator[TerminalOnPage]:
    """The block asks for one more terminal; behind it, that one is in front, with the keyboard and a prompt.

    Its tab alone says less: the page may hear of a terminal before its own request for it is answered.
    """
    terminal = TerminalOnPage(page)
    before = terminal.pane.get_attribute("id") or ""
    yield terminal
    expect(terminal.pane).not_to_have_attribute("id", before)
    expect(terminal.keyboard).to_be_focused()
    terminal.expect_prompt()


def start(page: Page, image: str) -> TerminalOnPage:
    """Presses Start on the image's card and waits for the prompt."""
    page.goto("/")
    page.locator(f'[data-image="{image}"]').get_by_role("button", name="Start").click()
    page.wait_for_url("**/sessions/*")
    terminal = TerminalOnPage(page)
    terminal.expect_prompt()
    return terminal


def end(page: Page) -> None:
    """Ends the session on the page and waits for its last words."""
    page.get_by_role("button", name="End", exact=True).click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("heading", name="You ended this session.")).to_be_visible()
