"""Many terminals: tabs, splits, and where they are after a reload, in another window, and on a phone."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.terminal import TerminalOnPage, another, end, start
from tests.e2e.test_pages import SIZES, fits, violations, whole
from tests.support.waiting import wait

CLICK_TO_PROMPT = """async () => {
  const began = performance.now();
  const before = document.querySelector("pg-terminal.current");
  document.querySelector('[aria-label="New terminal"]').click();
  for (;;) {
    const pane = document.querySelector("pg-terminal.current");
    const words = pane === before ? "" : (pane?.querySelector(".xterm-rows")?.innerText.trim() ?? "");
    if (/[#$]\\s*$/.test(words)) return performance.now() - began;
    if (performance.now() - began > 60000) throw new Error("no prompt");
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}"""
"""Milliseconds until one more terminal can be typed into."""
COUNTS = r"i=0; while :; do i=$((i+1)); [ $((i % 20000)) = 0 ] && printf '\r%s ' $i; done"
"""Something that uses the CPU."""
PHONE = {"viewport": SIZES["narrow"], "has_touch": True, "is_mobile": True}


def _panes(page: Page) -> Locator:
    return page.locator("pg-terminal:not([hidden])")


def _tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True)


def _box(locator: Locator) -> dict[str, float]:
    box = locator.bounding_box()
    assert box is not None
    return cast(dict[str, float], box)


def _drag(page: Page, tab: Locator, x: float, y: float) -> None:
    """Takes a tab to a place on the page and lets it go."""
    box = _box(tab)
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 30, steps=4)
    page.mouse.move(x, y, steps=6)
    expect(page.locator(".drop-mark")).to_be_visible()
    page.mouse.up()
    expect(page.locator(".drop-mark")).to_have_count(0)


def _rename(page: Page, tab: Locator, name: str) -> None:
    tab.focus()
    expect(tab).to_be_focused()
    page.keyboard.press("F2")
    page.get_by_role("textbox", name="Name of the terminal").fill(name)
    page.keyboard.press("Enter")
    expect(_tab(page, name)).to_be_focused()


def _open(page: Page) -> None:
    """One more terminal, with its prompt."""
    before = page.get_by_role("tab").count()
    with another(page):
        page.get_by_role("button", name="New terminal").last.click()
    expect(page.get_by_role("tab")).to_have_count(before + 1)


def _split(page: Page, keys: str, name: str) -> None:
    """Splits the terminal that has the focus and calls the new one `name`."""
    before = page.get_by_role("tab").count()
    with another(page) as terminal:
        page.keyboard.press(keys)
    expect(page.get_by_role("tab")).to_have_count(before + 1)
    _rename(page, page.locator(".tabs-current [aria-selected=true]"), name)
    page.keyboard.press("Enter")
    expect(terminal.keyboard).to_be_focused()


def _until_it_runs(page: Page, program: str) -> None:
    """Until the site would say so: before, nothing but the shell is in the terminal in front."""
    terminal = (TerminalOnPage(page).pane.get_attribute("id") or "").removeprefix("panel-")
    address = f"/api/v1/sessions/{page.url.rsplit('/', 1)[-1]}/terminals/{terminal}/process"
    wait(lambda: page.request.get(address).json().get("command") == program, f"{program} runs")


def test_splits_are_made_resized_left_and_kept(page: Page, image: str) -> None:
    terminal = start(page, image)
    terminal.type("echo left-$((1+0))")
    terminal.expect("^left-1")
    _split(page, "Control+Shift+E", "right")
    _split(page, "Control+Shift+O", "below")
    expect(_panes(page)).to_have_count(3)
    terminal.type("echo below-$((1+1))")
    terminal.expect("^below-2")
    assert violations(page) == []

    border = page.get_by_role("separator").first
    expect(border).to_have_attribute("aria-valuenow", "50")
    border.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(border).to_have_attribute("aria-valuenow", "60")
    page.keyboard.press("ArrowLeft")
    expect(border).to_have_attribute("aria-valuenow", "58")
    box = _box(border)
    page.mouse.move(box["x"] + 4, 300)
    page.mouse.down()
    page.mouse.move(box["x"] - 250, 300, steps=8)
    page.mouse.up()
    share = int(border.get_attribute("aria-valuenow") or "0")
    assert 35 <= share <= 41

    page.reload()
    expect(_panes(page)).to_have_count(3)
    terminal.expect("^below-2")
    expect(page.get_by_role("separator").first).to_have_attribute("aria-valuenow", str(share))
    expect(page.locator(".tabs-current [aria-selected=true]")).to_have_text(re.compile("below"))

    # What is typed lands in the split that the keys go to.
    terminal.keyboard.focus()
    page.keyboard.press("Alt+Shift+ArrowUp")
    expect(page.locator(".tabs-current [aria-selected=true]")).to_have_text(re.compile("right"))
    expect(terminal.keyboard).to_be_focused()
    page.keyboard.press("Alt+Shift+ArrowLeft")
    terminal.expect("^left-1")
    expect(terminal.keyboard).to_be_focused()
    page.keyboard.press("Control+Shift+X")
    expect(_panes(page)).to_have_count(1)
    terminal.expect("^left-1")
    expect(terminal.keyboard).to_be_focused()
    page.keyboard.press("Control+Shift+X")
    expect(_panes(page)).to_have_count(3)
    end(page)


def test_tabs_are_dragged_into_splits_and_along_their_row(page: Page, image: str) -> None:
    start(page, image)
    _rename(page, page.get_by_role("tab"), "one")
    for name in ("two", "three"):
        _open(page)
        _rename(page, page.locator(".tabs-current [aria-selected=true]"), name)
    expect(page.get_by_role("tab")).to_have_text(["one", "two", "three"])

    first = _box(_tab(page, "one"))
    _drag(page, _tab(page, "three"), first["x"] + 3, first["y"] + 15)
    expect(page.get_by_role("tab")).to_have_text(["three", "one", "two"])

    pane = _box(_panes(page))
    _drag(page, _tab(page, "two"), pane["x"] + pane["width"] * 0.95, pane["y"] + pane["height"] / 2)
    expect(_panes(page)).to_have_count(2)
    expect(page.locator(".tabs-current [role=tab]")).to_have_text(["two"])
    right = _box(page.locator("pg-terminal.current"))
    _drag(page, _tab(page, "one"), right["x"] + right["width"] / 2, right["y"] + right["height"] * 0.9)
    expect(_panes(page)).to_have_count(3)
    # The middle of a split is its row of tabs.
    _drag(page, _tab(page, "one"), right["x"] + right["width"] / 2, right["y"] + right["height"] * 0.25)
    expect(_panes(page)).to_have_count(2)
    expect(page.locator(".tabs-current [role=tab]")).to_have_text(["two", "one"])

    # Escape takes a drag back, and a drag that goes nowhere does nothing.
    box = _box(_tab(page, "three"))
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(right["x"] + 20, right["y"] + 100, steps=5)
    expect(page.locator(".drop-mark")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".drop-mark")).to_have_count(0)
    page.mouse.up()
    expect(_panes(page)).to_have_count(2)
    end(page)


def test_tabs_are_arranged_by_keyboard(page: Page, image: str) -> None:
    start(page, image)
    _rename(page, page.get_by_role("tab"), "one")
    page.keyboard.press("Enter")
    with another(page):
        page.keyboard.press("Control+Shift+Enter")
    expect(page.get_by_role("tab")).to_have_count(2)
    page.keyboard.press("Control+F6")
    _rename(page, page.locator("[role=tab]:focus"), "two")
    page.keyboard.press("Control+ArrowLeft")
    expect(page.get_by_role("tab")).to_have_text(["two", "one"])
    expect(_tab(page, "two")).to_be_focused()
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="Move to a new split below").press("Enter")
    expect(_panes(page)).to_have_count(2)
    expect(_tab(page, "two")).to_be_focused()
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="Move to the split above").press("Enter")
    expect(_panes(page)).to_have_count(1)
    expect(_tab(page, "two")).to_be_focused()
    # A session's page leaves by Escape what was opened by mistake.
    page.keyboard.press("F2")
    page.get_by_role("textbox", name="Name of the terminal").fill("no")
    page.keyboard.press("Escape")
    expect(_tab(page, "two")).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.get_by_role("tab")).to_have_text(["one"])
    end(page)


def test_a_terminal_in_which_a_program_runs_is_not_closed_unasked(page: Page, image: str) -> None:
    terminal = start(page, image)
    _open(page)
    terminal.type("sleep 1000")
    _until_it_runs(page, "sleep")
    page.keyboard.press("Control+F6")
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("sleep runs in it")
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("tab")).to_have_count(2)
    page.locator(".tabs-current [aria-selected=true]").press("Delete")
    dialog.get_by_role("button", name="Close terminal").click()
    expect(page.get_by_role("tab")).to_have_count(1)
    terminal.expect_prompt()
    end(page)


def test_terminals_that_come_and_go_elsewhere(page: Page, image: str) -> None:
    terminal = start(page, image)
    terminal.expect_prompt()
    _split(page, "Control+Shift+E", "mine")
    other = page.context.new_page()
    other.goto(page.url)
    # A new window begins with the layout of the last.
    expect(_panes(other)).to_have_count(2)
    TerminalOnPage(other).expect_prompt()
    _open(other)
    expect(other.get_by_role("tab")).to_have_count(3)
    expect(page.get_by_role("tab")).to_have_count(3)
    expect(page.locator("pg-terminal.current")).to_have_count(1)
    _tab(other, "mine").focus()
    other.keyboard.press("Delete")
    expect(_tab(page, "mine")).to_have_count(0)
    expect(page.get_by_role("tab")).to_have_count(2)
    terminal.expect_prompt()
    end(page)


@pytest.mark.parametrize("kept", ["garbage", '{"root": {"kind": "split"}}', json.dumps({"root": {"tabs": ["gone"]}})])
def test_a_layout_that_makes_no_sense_is_left(page: Page, image: str, kept: str) -> None:
    terminal = start(page, image)
    session = page.url.rsplit("/", 1)[-1]
    page.evaluate("([key, value]) => sessionStorage.setItem(key, value)", [f"playground.layout.{session}", kept])
    page.evaluate("() => localStorage.setItem('playground.layouts', 'garbage')")
    page.reload()
    terminal.expect_prompt()
    expect(page.get_by_role("tab")).to_have_count(1)
    end(page)


def test_on_a_phone_splits_are_tabs(page: Page, open_page: Callable[..., Page], image: str) -> None:
    start(page, image)
    _split(page, "Control+Shift+E", "right " + "w" * 90)
    phone = open_page(**PHONE)
    phone.goto(page.url)
    terminal = TerminalOnPage(phone)
    terminal.expect_prompt()
    expect(_panes(phone)).to_have_count(1)
    expect(phone.get_by_role("separator")).to_have_count(0)
    expect(phone.get_by_role("tab")).to_have_count(2)
    assert fits(phone)
    assert violations(phone) == []
    keys = phone.get_by_role("toolbar", name="Keys that a phone lacks")
    terminal.keyboard.focus()
    phone.keyboard.type("echo $((20+3))-phone")
    for _ in range(6):
        keys.get_by_role("button", name="Left").tap()
    phone.keyboard.type("x")
    keys.get_by_role("button", name="Ctrl").tap()
    expect(keys.get_by_role("button", name="Ctrl for the next key")).to_have_attribute("aria-pressed", "true")
    phone.keyboard.type("e")
    phone.keyboard.press("Enter")
    terminal.expect("^23x-phone")
    # The wide window keeps its splits.
    expect(_panes(page)).to_have_count(2)
    end(page)


def test_a_second_terminal_opens_at_once(page: Page, image: str) -> None:
    start(page, image)
    # The machine may stand still in one of them.
    took = [float(page.evaluate(CLICK_TO_PROMPT)) for _ in range(3)]
    print(f"click to prompt: {', '.join(f'{each:.0f}' for each in took)} ms")
    assert min(took) < 3000
    end(page)


def test_twenty_terminals(page: Page, image: str) -> None:
    terminal = start(page, image)
    session = page.url.rsplit("/", 1)[-1]
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    for number in range(19):
        answer = page.request.post(
            f"/api/v1/sessions/{session}/terminals",
            data={"name": f"number {number}"},
            headers={"X-CSRFToken": token, "Origin": page.url.rsplit("/sessions", 1)[0]},
        )
        assert answer.status == 201
    expect(page.get_by_role("tab")).to_have_count(20)
    assert fits(page)
    terminal.keyboard.focus()
    page.keyboard.press("Control+Shift+PageUp")
    expect(page.locator("[aria-selected=true]")).to_have_text(re.compile("number 18"))
    expect(page.locator("[aria-selected=true]")).to_be_in_viewport()
    terminal.expect_prompt()
    expect(terminal.keyboard).to_be_focused()
    page.keyboard.press("Control+Shift+PageDown")
    expect(page.locator("[aria-selected=true]")).not_to_have_text(re.compile("number 18"))
    expect(page.locator("[aria-selected=true]")).to_be_in_viewport()
    end(page)


def test_a_terminal_that_can_not_be_opened(page: Page, image: str) -> None:
    start(page, image)
    page.context.set_offline(True)
    page.get_by_role("button", name="New terminal").click()
    page.set_viewport_size(SIZES["narrow"])
    expect(page.get_by_role("alert")).to_contain_text("Check your connection")
    assert whole(page.get_by_role("alert"))
    assert whole(page.get_by_role("tab"))
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="New terminal").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.context.set_offline(False)
    page.set_viewport_size(SIZES["wide"])
    _open(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    end(page)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_picture_of_a_session(open_page: Callable[..., Page], results: Path, image: str, scheme: str) -> None:
    """For docs/images, when it is made with the image `debian` on Docker."""
    page = open_page(color_scheme=scheme, viewport=SIZES["wide"], device_scale_factor=1)
    terminal = start(page, image)
    terminal.type("cat /etc/os-release | head -4; uname -sr")
    terminal.expect("^Linux ")
    _split(page, "Control+Shift+E", "who am I")
    terminal.type("ls -l --color=always /")
    terminal.expect("usr$")
    _split(page, "Control+Shift+O", "where am I")
    terminal.type(COUNTS)
    terminal.expect(r"^\d+")
    page.get_by_role("button", name=re.compile("^Usage")).click()
    expect(page.locator(".usage-line").first).to_be_visible()
    # A line of what was used, which is more than a dot.
    page.wait_for_function("() => document.querySelector('.usage-line polyline').points.length >= 8")
    page.mouse.move(5, 5)
    page.screenshot(path=results / f"picture-session-{scheme}.png")
    assert violations(page) == []
    end(page)
