"""Every page: accessible, usable by keyboard, usable without scripts, and a picture of it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.terminal import end, start
from tests.support.stack import REPOSITORY

AXE = REPOSITORY / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = {
    "catalogue": "/",
    "image": "/images/{image}",
    "keys": "/accounts/keys/",
    "password": "/accounts/password/change/",
    "two-factor": "/accounts/2fa/",
    "not-found": "/nothing-here",
}
SIGNED_OUT = {"landing": "/", "sign-in": "/accounts/login/", "sign-up": "/accounts/signup/"}
SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 844}}


def violations(page: Page) -> list[str]:
    """What axe-core finds, by rule and element."""
    page.evaluate(AXE.read_text())
    # The terminal's own elements are xterm.js's; it has a mode for screen readers.
    found = page.evaluate("axe.run({exclude: [['.xterm']]})")
    return [
        f"{rule['id']}: {json.dumps(node['target'])} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def fits(page: Page) -> bool:
    """Nothing sticks out to the right."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def whole(words: Locator) -> bool:
    """Nothing of them is cut off."""
    return bool(words.evaluate("words => words.clientWidth > 0 && words.scrollWidth <= words.clientWidth"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_pages_are_accessible(
    open_page: Callable[..., Page], results: Path, image: str, scheme: str, size: str
) -> None:
    signed_in = open_page(color_scheme=scheme, viewport=SIZES[size])
    stranger = open_page(color_scheme=scheme, viewport=SIZES[size], storage_state=None)
    visits = [(signed_in, name, path) for name, path in PAGES.items()]
    visits += [(stranger, name, path) for name, path in SIGNED_OUT.items()]
    for page, name, path in visits:
        page.goto(path.format(image=image))
        expect(page.locator("h1")).to_be_visible()
        page.evaluate("document.fonts.ready")
        page.screenshot(path=results / f"{name}-{scheme}-{size}.png")
        assert fits(page), name
        assert violations(page) == [], name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_session_is_accessible(
    open_page: Callable[..., Page], results: Path, image: str, scheme: str, size: str
) -> None:
    page = open_page(color_scheme=scheme, viewport=SIZES[size])
    terminal = start(page, image)
    terminal.type("uname -a; ls /; id")
    terminal.expect("uid=")
    page.screenshot(path=results / f"session-{scheme}-{size}.png")
    assert fits(page)
    assert whole(page.locator(".session-name"))
    assert violations(page) == []
    page.get_by_role("button", name="More", exact=True).click()
    assert violations(page) == []
    page.get_by_role("menuitem", name="Keyboard shortcuts").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    end(page)
    page.screenshot(path=results / f"ended-{scheme}-{size}.png")
    assert violations(page) == []


def test_icons_come_with_the_page(page: Page, image: str) -> None:
    """Fetched one by one, they would be missing at first, and whenever one is shown for the first time."""
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    start(page, image)
    page.reload()
    icon = page.get_by_role("button", name="New terminal").locator(".icon")
    expect(icon).to_have_css("mask-image", re.compile("^url.*data:image/svg"))
    assert [url for url in fetched if url.endswith(".svg") and not url.endswith("/icon.svg")] == []
    end(page)


def test_the_catalogue_by_keyboard_alone(page: Page, image: str) -> None:
    page.goto("/")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type(image)
    expect(page.locator("[data-image][hidden]")).not_to_have_count(0)
    expect(page.locator("[data-image]:not([hidden])").first).to_have_attribute("data-image", image)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/*")
    expect(page.locator(".xterm-helper-textarea")).to_be_focused()
    page.keyboard.press("Control+F6")
    expect(page.get_by_role("tab")).to_be_focused()
    end(page)


def test_a_search_without_a_match_says_so(page: Page, image: str) -> None:
    page.goto("/")
    page.get_by_label("Search images").fill("no image has this")
    expect(page.get_by_text("No image has these words.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(f'[data-image="{image}"]')).to_be_visible()


def test_the_colours_are_remembered(page: Page) -> None:
    page.goto("/")
    for theme in ("Light", "Dark"):
        page.locator("details.menu summary").click()
        with page.expect_response("**/appearance"):
            page.get_by_role("button", name=theme, exact=True).click()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", theme.lower())


def test_starting_and_ending_without_scripts(open_page: Callable[..., Page], image: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/")
    page.locator(f'[data-image="{image}"]').get_by_role("button").click()
    page.wait_for_url("**/sessions/*")
    expect(page.get_by_text("The terminal is drawn by a script")).to_be_visible()
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.get_by_role("heading", name="You ended this session.")).to_be_visible()


def test_somebody_elses_session_is_not_there(page: Page) -> None:
    page.goto("/sessions/00000000-0000-4000-8000-000000000000")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_every_answer_has_a_content_policy(page: Page) -> None:
    for path in ("/", "/accounts/login/", "/nothing", "/api/v1/docs", "/api/v1/me"):
        policy = page.request.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert re.search(r"script-src 'self' 'sha256-[\w+/]{43}=';", policy), policy
