"""Who sits at the browser."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, expect

from tests.e2e.chromium import PATIENCE_MILLISECONDS
from tests.support.stack import Stack


@dataclass(frozen=True)
class Person:
    name: str
    password: str
    state: dict[str, Any]
    """Cookies, as Playwright keeps them."""


def first_administrator(stack: Stack, browser: Browser) -> Person:
    """Comes in by the one-time link and chooses a password."""
    person = Person("admin", "a long enough passphrase", {})
    context = browser.new_context(base_url=stack.url)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto(stack.manage("admin_link").split()[-1])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Password", exact=True).or_(page.get_by_label("New Password", exact=True)).fill(person.password)
    page.get_by_label("Password (again)").or_(page.get_by_label("New Password (again)")).fill(person.password)
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("heading", name="Start a sandbox")).to_be_visible()
    person.state.update(context.storage_state())
    context.close()
    return person
