"""What a person reads on a page."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page

_LOOK_OUT = """text => {
  const main = document.querySelector("main");
  const seen = { it: false };
  const look = () => (seen.it ||= main.innerText.includes(text));
  new MutationObserver(look).observe(main, { subtree: true, childList: true, characterData: true });
  return seen;
}"""


def shown(page: Page, text: str) -> Locator:
    """These words where they are seen. The page says some of them a moment later to people who listen, elsewhere."""
    return page.get_by_role("main").get_by_text(text)


@contextmanager
def remarked(page: Page, text: str) -> Iterator[None]:
    """What is done in the block makes the page say this for a few seconds. The page itself looks out for it."""
    seen = page.evaluate_handle(_LOOK_OUT, text)
    yield
    page.wait_for_function("seen => seen.it", arg=seen)
