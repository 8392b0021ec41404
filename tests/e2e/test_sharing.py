"""An owner and a guest, each in a browser of their own: watching, asking, typing, and the end of it."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.terminal import TerminalOnPage, end, start
from tests.e2e.test_pages import violations, whole
from tests.e2e.words import remarked

FITS = """() => {
  const width = (part) => document.querySelector(`pg-watch-terminal ${part}`).getBoundingClientRect().width;
  return width(".xterm-screen") <= width(".watch-screen") + 1;
}"""


class GuestPage:
    """What a guest sees."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def rows(self) -> Locator:
        return self.page.locator("pg-watch-terminal .xterm-rows > div")

    def expect(self, pattern: str) -> None:
        """Waits until a line that matches is on the screen."""
        expect(self.rows.filter(has_text=re.compile(pattern)).first).to_be_visible()

    def type(self, line: str) -> None:
        self.page.locator("pg-watch-terminal .xterm-helper-textarea").focus()
        self.page.keyboard.type(line)
        self.page.keyboard.press("Enter")


def _make_link(page: Page, what: str) -> str:
    """By the owner's dialog, which stays open."""
    page.get_by_role("button", name=re.compile("^Share")).click()
    dialog = page.get_by_role("dialog", name="Share this session")
    dialog.get_by_label("Guests may").select_option(label=what)
    dialog.get_by_role("button", name="Make a link").click()
    url = dialog.get_by_label("The new link").input_value()
    dialog.get_by_role("button", name="Close").click()
    return url


def _come(page: Page, url: str, name: str) -> GuestPage:
    page.goto(url)
    page.get_by_label("What are you called?").fill(name)
    page.get_by_role("button", name="Watch").click()
    page.wait_for_url("**/watch/*")
    return GuestPage(page)


def test_a_new_link_stays_whatever_was_read_before_it(page: Page, image: str) -> None:
    """Its address is shown once: an older list, which comes later, must not take it away."""
    start(page, image)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "GET" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/share-links", hold)
    with page.expect_request(lambda request: request.url.endswith("/share-links")):
        page.get_by_role("button", name=re.compile("^Share")).click()
    dialog = page.get_by_role("dialog", name="Share this session")
    dialog.get_by_role("button", name="Make a link").click()
    link = dialog.get_by_label("The new link")
    expect(link).to_be_visible()
    held[0].fulfill(json={"items": []})
    expect(dialog.get_by_role("button", name=re.compile("Revoke the link"))).to_be_visible()
    expect(link).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    end(page)


def test_a_guest_watches_asks_types_and_is_cut_off(
    open_page: Callable[..., Page], page: Page, image: str, results: Path
) -> None:
    terminal = start(page, image)
    terminal.type("echo seen-by-$((1+1))-people")
    url = _make_link(page, "watch, and ask to type")
    guest_page = open_page(storage_state=None, viewport={"width": 900, "height": 600})
    guest = _come(guest_page, url, "Gus")
    assert "#" not in guest_page.url
    guest.expect("^seen-by-2-people")
    count = page.locator(".sharing-count")
    expect(count).to_have_text("1")

    size = terminal.pane.evaluate("pane => pane.size")
    guest.type("echo must-not-arrive")
    terminal.type("echo still-$((20+3))-mine; stty size")
    terminal.expect("^still-23-mine")
    terminal.expect(rf"^{size['rows']} {size['cols']}\b")
    guest.expect("^still-23-mine")
    assert terminal.count("must-not-arrive") == 0

    guest_page.get_by_role("button", name="Ask to type").click()
    question = page.get_by_role("dialog", name="Gus wants to type")
    expect(question).to_be_visible()
    page.screenshot(path=results / "sharing-question.png")
    question.get_by_role("button", name="Allow").click()
    expect(guest_page.locator(".watch-bar .badge")).to_have_text("you may type")
    expect(page.locator(".sharing-typing")).to_be_visible()
    _until_typed(guest, terminal, "helped")
    # Whoever typed last decides the size.
    terminal.type("stty size | sed 's/^/own /'")
    terminal.expect(rf"^own {size['rows']} {size['cols']}\b")

    page.get_by_role("button", name=re.compile("^Share")).click()
    page.get_by_role("button", name="Gus: only watch").click()
    page.screenshot(path=results / "sharing-list.png")
    expect(guest_page.locator(".watch-bar .badge")).to_have_text("you watch")
    page.get_by_role("button", name=re.compile("Revoke the link")).click()
    expect(guest_page.get_by_role("heading", name="The link was revoked by the session's owner.")).to_be_visible()
    expect(page.get_by_text("Nobody but you.")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(count).to_be_hidden()
    end(page)


def _until_typed(guest: GuestPage, terminal: TerminalOnPage, word: str) -> None:
    """The page says that one may type a moment before the terminal's line does: it is opened anew for that."""
    expect(guest.page.locator("pg-watch-terminal .xterm-helper-textarea")).not_to_have_attribute("readonly", "")
    expect(guest.page.locator("pg-watch-terminal[data-role=control]")).to_be_visible()
    guest.type(f"echo {word}-$((40+2))")
    terminal.expect(f"^{word}-42")


def test_a_guest_searches_copies_and_saves(
    open_page: Callable[..., Page], page: Page, image: str, tmp_path: Path
) -> None:
    terminal = start(page, image)
    url = _make_link(page, "watch")
    terminal.type("for n in 1 2 3; do echo Needle-$n; done")
    guest_page = open_page(storage_state=None, permissions=["clipboard-read", "clipboard-write"])
    guest = _come(guest_page, url, "Gus")
    guest.expect("^Needle-3")
    tools = guest_page.get_by_role("toolbar", name="Tools of the terminal")
    expect(tools.get_by_role("button", name="Paste")).to_have_count(0)
    assert violations(guest_page) == []

    guest_page.locator(".watch-bar").get_by_role("button", name="Leave").focus()
    guest_page.keyboard.press("Control+Shift+F")
    guest_page.get_by_role("searchbox", name="Search the output").fill("needle-3")
    expect(guest_page.locator(".terminal-search-count")).to_have_text("1 of 1")
    assert violations(guest_page) == []
    guest_page.keyboard.press("Escape")
    # What was found stays selected.
    with remarked(guest_page, "Copied."):
        tools.get_by_role("button", name="Copy").click()
    assert guest_page.evaluate("navigator.clipboard.readText()") == "Needle-3"
    with guest_page.expect_download() as download:
        tools.get_by_role("button", name="Download scrollback").click()
    saved = tmp_path / "scrollback.txt"
    download.value.save_as(saved)
    assert "Needle-1\nNeedle-2\nNeedle-3\n" in saved.read_text()
    end(page)


def test_the_guests_page_on_a_phone(open_page: Callable[..., Page], page: Page, image: str, results: Path) -> None:
    terminal = start(page, image)
    url = _make_link(page, "watch")
    terminal.type("for n in $(seq 200); do echo line-$n; done")
    phone = open_page(storage_state=None, viewport={"width": 390, "height": 760}, color_scheme="dark", has_touch=True)
    guest = _come(phone, url, "</script><b>Gwen")
    guest.expect("^line-200")
    expect(phone.get_by_role("button", name="Ask to type")).to_have_count(0)
    # It takes a few tries to find letters that fit.
    phone.wait_for_function(FITS)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert whole(phone.locator(".session-name"))
    # Who only watches is never in the terminal, and sees where the next letter comes.
    expect(phone.locator("pg-watch-terminal .xterm-cursor")).to_be_visible()
    phone.screenshot(path=results / "watch-phone.png")
    phone.get_by_role("button", name="More", exact=True).click()
    phone.get_by_role("menuitem", name="Search the output").click()
    phone.get_by_role("searchbox", name="Search the output").fill("line-150")
    expect(phone.locator(".terminal-search-count")).to_have_text("1 of 1")
    phone.keyboard.press("Escape")
    phone.get_by_role("button", name="Leave").click()
    expect(phone.get_by_role("heading", name="You have left this session.")).to_be_visible()
    end(page)


def test_the_end_of_the_session_is_the_end_of_the_visit(open_page: Callable[..., Page], page: Page, image: str) -> None:
    start(page, image)
    url = _make_link(page, "watch")
    guest_page = open_page(storage_state=None)
    _come(guest_page, url, "Gus").expect(r"[#$]\s*$")
    end(page)
    expect(guest_page.get_by_role("heading", name="The session has ended.")).to_be_visible()
    late = open_page(storage_state=None)
    late.goto(url)
    expect(late.get_by_role("alert")).to_have_text("The session has ended.")
