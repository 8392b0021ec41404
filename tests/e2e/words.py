"""What a person reads on a page."""

from playwright.sync_api import Locator, Page


def shown(page: Page, text: str) -> Locator:
    """These words where they are seen. The page says some of them a moment later to people who listen, elsewhere."""
    return page.get_by_role("main").get_by_text(text)
