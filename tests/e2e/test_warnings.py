"""What a person is told before and after the end of a session, and how one that is paused goes on."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.person import Person
from tests.e2e.terminal import TerminalOnPage, end, start
from tests.e2e.test_pages import SIZES, fits, violations
from tests.e2e.words import shown
from tests.support.stack import Stack

PATIENCE_MILLISECONDS = 45_000
"""A warning comes after half of a short life, and the sweep every few seconds."""
QUOTA = """
from playground.sessions.ending import stop
from playground.sessions.models import Session
from playground.sessions.states import Reason
stop(Session.objects.get(pk='{session}'), Reason.QUOTA_DISK)
"""


@pytest.fixture(scope="module")
def api(stack: Stack, administrator: Person) -> Iterator[httpx.Client]:
    """The administrator's programs."""
    key = stack.manage("create_api_key", administrator.name).strip()
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{stack.url}/api/v1", headers=headers, timeout=90) as client:
        yield client


def _opened(page: Page, api: httpx.Client, image: str, **body: Any) -> TerminalOnPage:
    answer = api.post("/sessions", json={"image": image, **body}, headers={"Prefer": "wait=60"})
    assert answer.json()["state"] == "running", answer.text
    page.goto(f"/sessions/{answer.json()['id']}")
    terminal = TerminalOnPage(page)
    terminal.expect_prompt()
    return terminal


def test_a_warning_before_the_end_and_extend(
    open_page: Callable[..., Page], results: Path, api: httpx.Client, image: str
) -> None:
    page = open_page(color_scheme="dark", viewport=SIZES["wide"])
    _opened(page, api, image, ttl_seconds=40)
    warning = page.locator(".warning")
    expect(warning).to_contain_text(re.compile(r"This session ends in 0:\d\d"), timeout=PATIENCE_MILLISECONDS)
    expect(page.locator("#announcer")).to_contain_text("Extend gives it more time.")
    expect(warning).to_have_count(1)
    page.screenshot(path=results / "warning-dark-wide.png")
    warning.get_by_role("button", name="Extend").click()
    expect(warning).to_have_count(0)
    assert violations(page) == []
    end(page)


def test_a_key_keeps_an_idle_session(page: Page, api: httpx.Client, image: str) -> None:
    terminal = _opened(page, api, image, idle_timeout_seconds=40)
    warning = page.locator(".warning")
    expect(warning).to_contain_text("Press any key in a terminal to keep it.", timeout=PATIENCE_MILLISECONDS)
    terminal.type("echo kept-$((6*7))")
    terminal.expect("^kept-42")
    expect(warning).to_have_count(0)
    end(page)


def test_a_paused_session_goes_on_from_the_catalogue_and_by_keys(page: Page, image: str) -> None:
    terminal = start(page, image)
    terminal.type("KEPT=still-here")
    badge = page.locator(".session-bar .badge")
    page.keyboard.press("Control+F6")
    page.keyboard.press("p")
    expect(badge).to_have_text("paused")
    page.reload()
    expect(badge).to_have_text("paused")
    expect(shown(page, "The connection was cut")).to_be_hidden()
    page.goto("/")
    page.set_viewport_size(SIZES["narrow"])
    expect(page.locator("#my-sessions").get_by_role("button", name="Resume")).to_be_visible()
    assert fits(page)
    page.locator("#my-sessions").get_by_role("button", name="Resume").click()
    page.wait_for_url("**/sessions/*")
    terminal.expect_prompt()
    terminal.type("echo $KEPT-$((6*7))")
    terminal.expect("^still-here-42")
    end(page)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_end_by_a_quota_says_why_and_what_next(
    open_page: Callable[..., Page], results: Path, stack: Stack, image: str, scheme: str, size: str
) -> None:
    page = open_page(color_scheme=scheme, viewport=SIZES[size])
    start(page, image)
    page.get_by_role("button", name=re.compile("^Usage")).click()
    page.screenshot(path=results / f"usage-{scheme}-{size}.png")
    assert fits(page)
    assert violations(page) == []
    page.get_by_role("button", name="Close usage").click()
    stack.manage("shell", "-c", QUOTA.format(session=page.url.rpartition("/")[2]))
    expect(page.get_by_role("heading", name="More was written to disk than the profile allows.")).to_be_visible()
    expect(shown(page, "choose a profile with more disk")).to_be_visible()
    expect(page.get_by_role("button", name="Start again")).to_be_visible()
    expect(page.get_by_role("button", name="Download scrollback")).to_be_visible()
    page.screenshot(path=results / f"quota-{scheme}-{size}.png")
    assert fits(page)
    assert violations(page) == []
