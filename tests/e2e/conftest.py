"""A whole site and a real Chromium."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.chromium import PATIENCE_MILLISECONDS, chromium
from tests.e2e.person import Person, first_administrator
from tests.support.stack import REPOSITORY, Stack, chosen_engine

RESULTS = REPOSITORY / "test-results"
IMAGES = ("debian", "busybox")
"""The first of these that can be prepared is what the tests start."""


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """One site for all tests here. The run fails when it leaves anything behind."""
    stack = Stack(chosen_engine())
    try:
        stack.start()
        yield stack
    except BaseException:
        stack.stop()
        raise
    left = stack.stop()
    assert not left, left


@pytest.fixture(scope="package")
def image(stack: Stack) -> str:
    """The slug of an image that is ready."""
    wanted = os.environ.get("PLAYGROUND_TEST_IMAGE")
    failures = []
    for slug in (wanted,) if wanted else IMAGES:
        try:
            stack.manage("prepare_image", slug)
        except AssertionError as error:
            failures.append(str(error))
        else:
            return slug
    raise AssertionError("\n".join(failures))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def administrator(stack: Stack, browser: Browser) -> Person:
    """The first administrator, who has come in by the one-time link and chosen a password."""
    return first_administrator(stack, browser)


@pytest.fixture
def open_page(stack: Stack, browser: Browser, administrator: Person) -> Iterator[Callable[..., Page]]:
    """Opens pages of the signed-in administrator, each in a browser of its own; an error in one fails the test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_one(**options: object) -> Page:
        # Colours on their way are nobody's: axe would find letters too faint that are not.
        settings: dict[str, object] = {"storage_state": administrator.state, "reduced_motion": "reduce", **options}
        context = browser.new_context(base_url=stack.url, **settings)  # type: ignore[arg-type]  # its own keywords
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if _is_problem(message.text) else None)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not problems


def _is_problem(text: str) -> bool:
    """What the browser refuses because of our own content policy."""
    return "Content Security Policy" in text


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A signed-in page of the usual size."""
    return open_page(viewport={"width": 1280, "height": 800})


@pytest.fixture(scope="package")
def results() -> Path:
    """Where screenshots go."""
    RESULTS.mkdir(exist_ok=True)
    return RESULTS
