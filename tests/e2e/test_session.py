"""The main job: pick an image, press Start, type."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.e2e.terminal import TerminalOnPage, another, end, start
from tests.e2e.words import shown


def test_a_shell_survives_resizing_and_reloading_and_ends_with_a_reason(page: Page, image: str, tmp_path: Path) -> None:
    terminal = start(page, image)
    terminal.type("echo $((6*7))-is-the-answer; KEPT=still-here")
    terminal.expect("^42-is-the-answer")

    terminal.type("stty size | sed 's/^/wide /'")
    terminal.expect(r"^wide \d+ \d+")
    wide = _size(terminal, "wide")
    page.set_viewport_size({"width": 800, "height": 500})
    expect(terminal.pane.locator(".xterm-screen")).to_have_css("width", re.compile(r"^[5-7]\d\d"))
    terminal.type("stty size | sed 's/^/slim /'")
    terminal.expect(r"^slim \d+ \d+")
    slim = _size(terminal, "slim")
    assert slim < wide
    assert slim[1] < wide[1]

    page.reload()
    terminal.expect("^42-is-the-answer")
    terminal.type("echo $KEPT")
    terminal.expect("^still-here")
    assert terminal.count("^42-is-the-answer") == 1

    end(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download scrollback").click()
    saved = tmp_path / "scrollback.txt"
    download.value.save_as(saved)
    assert "42-is-the-answer" in saved.read_text()
    expect(page.get_by_role("button", name="Start again")).to_be_visible()


def _size(terminal: TerminalOnPage, label: str) -> tuple[int, int]:
    line = terminal.rows.locator("> div").filter(has_text=re.compile(rf"^{label} \d+ \d+")).last.inner_text()
    _, rows, cols = line.split()
    return int(rows), int(cols)


def test_typing_during_a_cut_arrives_once(page: Page, image: str) -> None:
    terminal = start(page, image)
    page.context.set_offline(True)
    expect(shown(page, "The connection was cut")).to_be_visible()
    terminal.type("echo typed-in-the-dark | tr a-z A-Z")
    expect(shown(page, "What you type is kept.")).to_be_visible()
    page.context.set_offline(False)
    terminal.expect("^TYPED-IN-THE-DARK")
    expect(shown(page, "The connection was cut")).to_be_hidden()
    assert terminal.count("^TYPED-IN-THE-DARK") == 1
    end(page)


def test_two_windows_show_the_same_shell(page: Page, open_page: Callable[..., Page], image: str) -> None:
    terminal = start(page, image)
    other = open_page(viewport={"width": 1280, "height": 800})
    other.goto(page.url)
    mirror = TerminalOnPage(other)
    mirror.expect_prompt()
    terminal.type("echo from-$((1+0))-to-two")
    mirror.expect("^from-1-to-two")
    mirror.type("echo and-$((1+1))-back")
    terminal.expect("^and-2-back")
    end(page)
    expect(other.get_by_role("heading", name="You ended this session.")).to_be_visible()


def test_several_terminals_of_one_machine(page: Page, image: str) -> None:
    terminal = start(page, image)
    terminal.type("echo first-$((1+0)) > /tmp/note && echo noted-$((1+0))")
    terminal.expect("^noted-1")
    with another(page):
        page.get_by_role("button", name="New terminal").click()
    expect(page.get_by_role("tab")).to_have_count(2)
    terminal.type("cat /tmp/note")
    terminal.expect("^first-1")
    # While a program ran in it, it would not be closed unasked.
    terminal.expect_prompt()
    page.get_by_role("tab").first.click()
    expect(terminal.keyboard).to_be_focused()
    terminal.expect("^noted-1")
    assert terminal.count("^first-1") == 0
    page.get_by_role("tab").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Delete")
    expect(page.get_by_role("tab")).to_have_count(1)
    end(page)


def test_rename_and_extend(page: Page, image: str) -> None:
    start(page, image)
    page.get_by_role("button", name="Rename").click()
    name = "n" * 100
    page.get_by_label("Name of the session").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.get_by_role("button", name="Extend").click()
    expect(page.get_by_role("timer")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    end(page)


def test_a_script_that_did_not_come_is_asked_for_again(page: Page, image: str) -> None:
    """Browsers give up what they load when the network of their host changes, as it does for a machine's bridge."""
    terminal = start(page, image)
    refused: list[str] = []

    def refuse_two(route: Route) -> None:
        if len(refused) < 2:
            refused.append(route.request.url)
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/*.js", refuse_two)
    page.reload()
    terminal.expect_prompt()
    assert len(refused) == 2
    page.unroute("**/*.js")
    end(page)


def test_search_finds_old_output(page: Page, image: str) -> None:
    terminal = start(page, image)
    terminal.type("echo needle-$((3*3)); seq 1 200")
    terminal.expect("^200")
    page.keyboard.press("Control+Shift+F")
    box = page.get_by_role("searchbox", name="Search the output")
    box.fill("needle-9")
    terminal.expect("^needle-9")
    box.fill("no-such-thing")
    expect(page.get_by_text("Not found")).to_be_visible()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    end(page)


def test_a_shell_that_exits_says_so(page: Page, image: str) -> None:
    start(page, image)
    with another(page) as terminal:
        page.get_by_role("button", name="New terminal").click()
    terminal.type("exit 3")
    expect(shown(page, "exit code 3")).to_be_visible()
    end(page)


def test_the_keyboard_goes_on_where_a_button_went_away(page: Page, image: str) -> None:
    terminal = start(page, image)
    usage = page.get_by_role("button", name=re.compile("^Usage"))
    usage.press("Enter")
    page.get_by_role("button", name="Close usage").press("Enter")
    expect(usage).to_be_focused()
    rename = page.get_by_role("button", name="Rename", exact=True)
    rename.press("Enter")
    expect(page.get_by_label("Name of the session")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rename).to_be_focused()
    page.get_by_role("button", name="Copy (Ctrl+Shift+C)").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Paste (Ctrl+Shift+V)")).to_be_focused()
    page.get_by_role("button", name="Pause").press("Enter")
    resume = page.locator(".terminals-column > .bar").get_by_role("button", name="Resume")
    expect(resume).to_be_enabled()
    resume.press("Enter")
    expect(terminal.keyboard).to_be_focused()
    end(page)
