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
from tests.support.docker import docker_host
from tests.support.stack import Stack

SHORT = 60
"""Seconds that a session lives: it warns of its end after half of them, at the next sweep."""
TIGHT = """
from playground.sessions.models import Profile
tight = Profile.objects.get(is_default=True)
tight.pk, tight.name, tight.is_default, tight.disk_bytes = 'tight', 'Tight', False, 64 << 20
tight.save()
"""


@pytest.fixture(scope="module")
def api(stack: Stack, administrator: Person) -> Iterator[httpx.Client]:
    """The administrator's programs."""
    key = stack.manage("create_api_key", administrator.name).strip()
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{stack.url}/api/v1", headers=headers, timeout=90) as client:
        yield client


@pytest.fixture(scope="module")
def tight(stack: Stack) -> str:
    """The slug of a profile with little disk, which an engine bounds."""
    docker_host()
    stack.manage("shell", "--verbosity", "0", "-c", TIGHT)
    return "tight"


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
    _opened(page, api, image, ttl_seconds=SHORT)
    warning = page.locator(".warning")
    expect(warning).to_contain_text(re.compile(r"This session ends in 0:\d\d"))
    expect(page.locator("#announcer")).to_contain_text("Extend gives it more time.")
    expect(warning).to_have_count(1)
    page.screenshot(path=results / "warning-dark-wide.png")
    warning.get_by_role("button", name="Extend").click()
    expect(warning).to_have_count(0)
    assert violations(page) == []
    end(page)


def test_a_key_keeps_an_idle_session(page: Page, api: httpx.Client, image: str) -> None:
    terminal = _opened(page, api, image, idle_timeout_seconds=SHORT)
    warning = page.locator(".warning")
    expect(warning).to_contain_text("Press any key in a terminal to keep it.")
    terminal.type("echo kept-$((6*7))")
    terminal.expect("^kept-42")
    expect(warning).to_have_count(0)
    end(page)


def test_a_paused_session_goes_on_from_the_catalogue_and_by_keys(page: Page, image: str) -> None:
    terminal = start(page, image)
    terminal.type("KEPT=still-here; echo kept-$((6*7))")
    terminal.expect("^kept-42")
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


def test_starting_again_starts_the_same(page: Page, api: httpx.Client, image: str) -> None:
    command = ["sh", "-c", "echo word-$WORD-word; exec sh"]
    terminal = _opened(page, api, image, command=command, env={"WORD": "its"}, metadata={"course": "unix"})
    terminal.expect("^word-its-word")
    end(page)
    expect(shown(page, "Started again it does not have its variables (WORD)")).to_be_visible()
    first = page.url
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/again") else None)
    page.get_by_role("button", name="Start again").dblclick()
    page.wait_for_url(lambda url: url != first and "/sessions/" in url)
    terminal.expect("^word--word")
    assert len(asked) == 1, "one session, however often it is clicked"
    again = api.get(f"/sessions/{page.url.rsplit('/', 1)[1]}").json()
    assert again["metadata"] == {"course": "unix"}
    end(page)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_end_by_a_quota_says_why_and_what_next(
    open_page: Callable[..., Page], results: Path, api: httpx.Client, image: str, tight: str, scheme: str, size: str
) -> None:
    page = open_page(color_scheme=scheme, viewport=SIZES[size])
    terminal = _opened(page, api, image, profile=tight)
    page.get_by_role("button", name=re.compile("^Usage")).click()
    # Two readings make a line of what was used.
    expect(page.locator(".usage-line").first).to_be_visible()
    page.screenshot(path=results / f"usage-{scheme}-{size}.png")
    assert fits(page)
    assert violations(page) == []
    page.get_by_role("button", name="Close usage").click()
    terminal.type("head -c 200000000 /dev/zero >/root/large")
    held = re.compile(r"^The machine held \d+ MiB on its disk; its profile allows 64 MiB\.$")
    expect(page.get_by_role("heading", name=held)).to_be_visible()
    expect(shown(page, "choose a profile with more disk")).to_be_visible()
    expect(page.get_by_role("button", name="Start again")).to_be_visible()
    expect(page.get_by_role("button", name="Download scrollback")).to_be_visible()
    page.screenshot(path=results / f"quota-{scheme}-{size}.png")
    assert fits(page)
    assert violations(page) == []
