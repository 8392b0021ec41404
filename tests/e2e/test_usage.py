"""Pausing, and what a session uses, as a person sees it."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.terminal import end, start


def test_paused_keys_arrive_when_it_goes_on(page: Page, image: str) -> None:
    terminal = start(page, image)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Nothing runs and nothing is lost")).to_be_visible()
    expect(page.locator(".badge")).to_have_text("paused")
    terminal.type("echo typed-$((40+2))-paused")
    page.get_by_role("button", name="Resume").first.click()
    terminal.expect("^typed-42-paused")
    expect(page.locator(".badge")).to_have_text("running")
    end(page)


def test_the_usage_panel_opens_closes_and_is_remembered(page: Page, image: str) -> None:
    start(page, image)
    meters = page.get_by_role("button", name=re.compile("^Usage"))
    expect(meters).to_have_attribute("aria-expanded", "false")
    meters.click()
    panel = page.get_by_role("complementary", name="Usage")
    expect(panel).to_be_visible()
    border = page.get_by_role("separator", name="Width of the usage panel")
    before = int(border.get_attribute("aria-valuenow") or 0)
    border.press("ArrowLeft")
    expect(border).to_have_attribute("aria-valuenow", str(before + 16))
    page.reload()
    expect(panel).to_be_visible()
    expect(border).to_have_attribute("aria-valuenow", str(before + 16))
    page.get_by_role("button", name="Close usage").click()
    expect(panel).to_be_hidden()
    end(page)
