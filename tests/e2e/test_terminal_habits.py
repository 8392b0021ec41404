"""The habits of a good terminal: pasting, links, files, colours, size, search, and settings that hold everywhere."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.terminal import TerminalOnPage, another, end, start
from tests.e2e.test_pages import violations
from tests.e2e.words import remarked

LINK = r"printf '\033]8;;%s\033\\%s\033]8;;\033\\\n' "
SIXEL = (
    r"printf '\033Pq#0;2;100;0;0#0!40~-#0!40~-#0!40~-#0!40~-#0!40~-#0!40~-#0!40~-#0!40~\033\\\n'; echo $((30+7))-drawn"
)
LINE_BY_LINE = "n=0; echo line by line; while read -r x; do echo $((n+=1))\\<$x\\>; done"
PASTE_MARKS = r"printf '\033[?2004h'; echo marks-$((1+0)); cat"
RINGS = r"printf '\033]2;logs \342\200\256of x\007'; while sleep 1; do printf '\007'; done"


@pytest.fixture
def clipboard_page(page: Page) -> Page:
    """A page that may use the clipboard, as one that somebody has said yes to."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


def _paste(page: Page, text: str) -> None:
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.get_by_role("button", name="Paste (Ctrl+Shift+V)").click()


def _settings(page: Page) -> Locator:
    page.get_by_role("button", name="Terminal settings").click()
    return page.get_by_role("dialog", name="Terminal settings")


def _font(page: Page) -> float:
    size: str = page.locator("pg-terminal.current .xterm-rows").evaluate("rows => getComputedStyle(rows).fontSize")
    return float(size.removesuffix("px"))


def _background(page: Page) -> str:
    colour: str = page.locator("pg-terminal.current").evaluate("pane => getComputedStyle(pane).backgroundColor")
    return colour


def _drop(page: Page, files: dict[str, str]) -> None:
    """Drops files with these names and contents on the terminal."""
    data = page.evaluate_handle(
        """files => {
          const data = new DataTransfer();
          for (const [name, text] of Object.entries(files)) data.items.add(new File([text], name));
          return data;
        }""",
        files,
    )
    pane = page.locator("pg-terminal.current")
    pane.dispatch_event("dragenter", {"dataTransfer": data})
    expect(page.get_by_text("Drop to upload into the machine")).to_be_visible()
    pane.dispatch_event("dragover", {"dataTransfer": data})
    pane.dispatch_event("drop", {"dataTransfer": data})
    expect(page.get_by_text("Drop to upload into the machine")).to_be_hidden()


def test_lines_that_would_run_are_shown_first(clipboard_page: Page, image: str) -> None:
    page = clipboard_page
    terminal = start(page, image)
    # Nobody is asked for a shell that marks pastes. While it reads by itself it takes each line as it comes.
    terminal.type(LINE_BY_LINE)
    terminal.expect("^line by line")
    _paste(page, "one\ntwo")
    dialog = page.get_by_role("dialog", name="Paste 2 lines?")
    expect(dialog.get_by_label("What will be pasted")).to_have_text("one\ntwo")
    assert violations(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()

    # Had anything of the first been typed, this would not be line 1.
    _paste(page, "three\nfour\n")
    page.get_by_role("dialog").get_by_role("button", name="Paste", exact=True).click()
    terminal.expect(r"^1<three>$")
    terminal.expect(r"^2<four>$")
    _paste(page, "five\n  six\n")
    page.get_by_role("dialog").get_by_role("button", name="Paste as one line").click()
    terminal.expect(r"^five six\s*$")
    expect(terminal.keyboard).to_be_focused()
    page.keyboard.press("Enter")
    terminal.expect(r"^3<five six>$")

    _paste(page, "seven\neight\n")
    page.get_by_label("ask again").check()
    page.get_by_role("dialog").get_by_role("button", name="Paste", exact=True).click()
    terminal.expect(r"^5<eight>$")
    _paste(page, "nine\nten\n")
    terminal.expect(r"^7<ten>$")
    expect(page.get_by_role("dialog")).to_have_count(0)
    end(page)


def test_a_paste_can_not_end_its_own_mark(clipboard_page: Page, image: str) -> None:
    page = clipboard_page
    terminal = start(page, image)
    terminal.type(PASTE_MARKS)
    terminal.expect("^marks-1")
    # Marked pastes of several lines run nothing, and are not asked about; one with control characters is.
    _paste(page, "plain\nlines")
    terminal.expect("lines")
    _paste(page, "safe\x1b[201~; evil")
    dialog = page.get_by_role("dialog", name="Paste this?")
    expect(dialog).to_contain_text("1 control character was taken out")
    dialog.get_by_role("button", name="Paste", exact=True).click()
    terminal.expect(r"safe\[201~; evil")
    end(page)


def test_links_say_where_they_lead(page: Page, image: str) -> None:
    terminal = start(page, image)
    page.context.route("https://example.org/**", lambda route: route.fulfill(body="there"))
    terminal.type(LINK + "https://example.org/x words-$((1+0))")
    terminal.expect("^words-1")
    terminal.type(LINK + "https://evil.example/ https://example.org/y-$((1+1))")
    terminal.expect("^https://example.org/y-2")
    terminal.type(LINK + "javascript:alert words-$((1+2))")
    terminal.expect("^words-3")

    def hover(text: str) -> None:
        page.mouse.move(5, 5)
        row = terminal.rows.locator("> div").filter(has_text=re.compile(rf"^{text}")).first
        box = row.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
        page.mouse.move(box["x"] + 34, box["y"] + box["height"] / 2)

    target = page.locator(".terminal-target")
    hover("words-1")
    expect(target).to_have_text("https://example.org/x")
    with page.context.expect_page() as opened:
        page.mouse.down()
        page.mouse.up()
    expect(opened.value.get_by_text("there")).to_be_visible()
    assert opened.value.evaluate("window.opener") is None
    assert opened.value.evaluate("document.referrer") == ""
    opened.value.close()
    hover("https://example.org/y-2")
    expect(target).to_have_text("https://evil.example/")
    page.mouse.down()
    page.mouse.up()
    dialog = page.get_by_role("dialog", name="Open this link?")
    expect(dialog).to_contain_text("leads to evil.example")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    hover("words-3")
    expect(target).to_have_text("javascript:alert")
    with remarked(page, "Links that begin with javascript: are not opened."):
        page.mouse.down()
        page.mouse.up()
    assert len(page.context.pages) == 1
    end(page)


def test_files_are_dropped_where_the_shell_is(page: Page, image: str) -> None:
    terminal = start(page, image)
    terminal.type("mkdir -p /tmp/here && cd /tmp/here && echo ready-$((4*4))")
    terminal.expect("^ready-16")
    _drop(page, {"a.txt": "first", "b c.txt": "second"})
    panel = page.get_by_role("region", name="Upload")
    expect(panel.get_by_label("Directory in the machine")).to_have_value("/tmp/here")
    assert violations(page) == []
    panel.get_by_role("button", name="Upload").click()
    expect(panel).to_contain_text("2 files are in /tmp/here now.")
    panel.get_by_role("button", name="Close").click()
    terminal.type("cat a.txt 'b c.txt'; echo")
    terminal.expect("^firstsecond")

    _drop(page, {"a.txt": "third", "new.txt": "fourth"})
    expect(panel.get_by_label("Directory in the machine")).to_have_value("/tmp/here")
    panel.get_by_role("button", name="Upload").click()
    expect(panel).to_contain_text("a.txt is in /tmp/here already.")
    panel.get_by_role("button", name="Upload the others").click()
    expect(panel).to_contain_text("1 file is in /tmp/here now.")
    panel.get_by_role("button", name="Close").click()
    terminal.type("cat a.txt new.txt; echo")
    terminal.expect("^firstfourth")

    _drop(page, {"no.txt": "x"})
    panel.get_by_label("Directory in the machine").fill("relative")
    panel.get_by_role("button", name="Upload").click()
    expect(panel.get_by_role("alert")).to_contain_text("absolute path")
    panel.get_by_label("Directory in the machine").fill("/dev/null/deep")
    panel.get_by_role("button", name="Upload").click()
    expect(panel).to_contain_text("That is not a directory.")
    panel.get_by_role("button", name="Cancel").click()
    expect(panel).to_have_count(0)
    end(page)


def test_an_upload_is_cancelled_and_the_network_told_of(page: Page, image: str) -> None:
    start(page, image)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    _drop(page, {"large.bin": "x" * 4_000_000})
    panel = page.get_by_role("region", name="Upload")
    panel.get_by_label("Directory in the machine").fill("/tmp")
    network.send("Network.emulateNetworkConditions", slow)
    panel.get_by_role("button", name="Upload").click()
    expect(panel.get_by_role("status")).to_contain_text(re.compile(r"[1-9]\d* % of 3.8 MiB"))
    panel.get_by_role("button", name="Cancel").click()
    expect(panel).to_contain_text("Nothing was uploaded.")
    expect(panel).to_contain_text("Cancelled.")
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    panel.get_by_role("button", name="Close").click()
    end(page)


def test_settings_hold_in_every_terminal_and_window(page: Page, results: Path, image: str) -> None:
    start(page, image)
    with another(page):
        page.keyboard.press("Control+Shift+E")
    expect(page.get_by_role("tab")).to_have_count(2)
    other = page.context.new_page()
    other.goto(page.url)
    TerminalOnPage(other).expect_prompt()
    usual, before = _font(page), _background(page)

    panel = _settings(page)
    assert violations(page) == []
    panel.get_by_label("Colours").select_option(label="Projector (large, light)")
    panel.get_by_role("button", name="Larger").click()
    expect(panel.get_by_role("status")).to_have_text("23 px")
    for window in (page, other):
        for pane in window.locator("pg-terminal:not([hidden])").all():
            expect(pane).to_have_css("background-color", "rgb(255, 255, 255)")
            expect(pane.locator(".xterm-rows")).to_have_css("font-size", "23px")
    page.set_viewport_size({"width": 1000, "height": 800})
    expect(panel.get_by_role("button", name="Close the settings")).to_be_in_viewport(ratio=1)
    panel.get_by_role("button", name="Close the settings").click()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.screenshot(path=results / "terminals-projector.png")
    page.reload()
    expect(page.locator("pg-terminal.current .xterm-rows")).to_have_css("font-size", "23px")
    _settings(page).get_by_role("button", name="Back to the usual").click()
    page.keyboard.press("Escape")
    expect(page.locator("pg-terminal.current .xterm-rows")).to_have_css("font-size", f"{usual:g}px")
    assert _background(page) == before
    end(page)


def test_letters_grow_and_shrink_by_keys(page: Page, image: str) -> None:
    terminal = start(page, image)
    usual = _font(page)
    terminal.keyboard.focus()
    for key, expected in (("=", usual + 1), ("=", usual + 2), ("-", usual + 1), ("0", usual)):
        page.keyboard.press(f"Control+{key}")
        expect(terminal.rows).to_have_css("font-size", f"{expected:g}px")
    terminal.type("stty size | sed 's/^/size /'")
    terminal.expect(r"^size \d+ \d+")
    # The line that the cursor is in stays.
    terminal.expect_prompt()
    page.keyboard.press("Control+Shift+K")
    expect(terminal.rows.locator("> div").filter(has_text=re.compile(r"^size \d"))).to_have_count(0)
    end(page)


def test_search_counts_and_knows_patterns(page: Page, image: str) -> None:
    terminal = start(page, image)
    terminal.type("clear; for n in 1 2 3; do echo Needle-$n; done; echo needle-x")
    terminal.expect("^needle-x")
    page.keyboard.press("Control+Shift+F")
    box = page.get_by_role("searchbox", name="Search the output")
    count = page.locator(".terminal-search-count")
    box.fill("needle-")
    expect(count).to_have_text(re.compile("of 4$"))
    page.get_by_role("button", name="Match case").click()
    expect(count).to_have_text("1 of 1")
    page.get_by_role("button", name="Match case").click()
    page.get_by_role("button", name="Regular expression").click()
    box.fill(r"needle-[12]")
    expect(count).to_have_text(re.compile("of 2$"))
    box.fill("needle-[")
    expect(count).to_have_text("Not a pattern")
    box.fill("absent")
    expect(count).to_have_text("Not found")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(terminal.keyboard).to_be_focused()
    end(page)


def test_titles_and_bells_are_on_the_tabs(page: Page, image: str) -> None:
    start(page, image)
    with another(page) as terminal:
        page.get_by_role("button", name="New terminal").click()
    expect(page.get_by_role("tab")).to_have_count(2)
    terminal.type(RINGS)
    second = page.get_by_role("tab").nth(1)
    expect(second).to_contain_text("logs of x")
    expect(page).to_have_title(re.compile("^logs of x"))
    page.get_by_role("tab").first.click()
    expect(second).to_contain_text("rang")
    second.click()
    expect(second).not_to_contain_text("rang")
    end(page)


def test_pictures_are_drawn_when_they_are_wanted(page: Page, image: str) -> None:
    terminal = start(page, image)
    terminal.type(SIXEL)
    terminal.expect("37-drawn")
    assert terminal.pane.locator("canvas").count() == 0
    _settings(page).get_by_label("Show pictures").check()
    page.keyboard.press("Escape")
    # What draws them is fetched now, and pictures that come before it is there are not drawn.
    terminal.type(f"while sleep 1; do {SIXEL}; done")
    expect(terminal.pane.locator("canvas.xterm-image-layer")).to_have_count(1)
    page.wait_for_function(
        """() => {
          const layer = document.querySelector("canvas.xterm-image-layer");
          const pixels = layer.getContext("2d").getImageData(0, 0, layer.width, layer.height).data;
          for (let at = 0; at < pixels.length; at += 4) if (pixels[at] > 200 && pixels[at + 3] > 200) return true;
          return false;
        }"""
    )
    end(page)


def test_selecting_copies_when_that_is_wanted(clipboard_page: Page, image: str) -> None:
    page = clipboard_page
    terminal = start(page, image)
    _settings(page).get_by_label("Copy as soon as something is selected").check()
    page.keyboard.press("Escape")
    terminal.type("clear; echo copy-me-$((6*6))")
    terminal.expect("^copy-me-36")
    box = terminal.rows.locator("> div").filter(has_text=re.compile("^copy-me-36")).first.bounding_box()
    assert box is not None
    with remarked(page, "Copied."):
        page.mouse.dblclick(box["x"] + 20, box["y"] + box["height"] / 2)
    assert "copy-me-36".startswith(page.evaluate("navigator.clipboard.readText()").strip())
    assert page.evaluate("navigator.clipboard.readText()").strip() != ""
    end(page)


def test_the_terminal_menu(page: Page, image: str, tmp_path: Path) -> None:
    terminal = start(page, image)
    terminal.type("echo saved-$((5*5))")
    terminal.expect("^saved-25")
    page.get_by_role("button", name="More", exact=True).click()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Paste")).to_be_focused()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Download scrollback").click()
    saved = tmp_path / "scrollback.txt"
    download.value.save_as(saved)
    assert "saved-25" in saved.read_text()
    page.get_by_role("button", name="More", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_be_hidden()
    end(page)


LAST_COLOUR = """colours => {
  const probe = document.querySelector(".terminal-screen").appendChild(document.createElement("span"));
  let seen;
  for (probe.style.color of colours) seen = getComputedStyle(probe).color;
  probe.remove();
  return seen;
}"""
"""As the terminal reads its theme: a colour that were on its way would be the one before."""


def test_colours_of_terminals_are_their_own(open_page: Callable[..., Page], image: str, results: Path) -> None:
    page = open_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
    terminal = start(page, image)
    assert page.evaluate(LAST_COLOUR, ["#010203", "#c86432"]) == "rgb(200, 100, 50)"
    terminal.type(r"for n in 1 2 3 4 5 6 7; do printf '\033[3%dmcolour %d ' $n $n; done; echo")
    terminal.expect("colour 7")
    panel = _settings(page)
    for name in ("Ink (dark)", "Dusk (dark)", "Paper (light)", "High contrast"):
        panel.get_by_label("Colours").select_option(label=name)
        assert violations(page) == [], name
        page.screenshot(path=results / f"terminals-{name.split()[0].lower()}.png")
    end_of = panel.get_by_role("button", name="Back to the usual")
    end_of.click()
    page.keyboard.press("Escape")
    end(page)
