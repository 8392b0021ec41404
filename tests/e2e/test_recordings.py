"""Recording a session from the page, and playing what its terminal showed."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import CDPSession, Locator, Page, expect

from runtime.recording.asciicast import Cast, Position, header
from tests.e2e.terminal import TerminalOnPage, end
from tests.e2e.test_pages import SIZES, fits, violations
from tests.e2e.words import shown
from tests.support.asciicast import check_version_3, text_of
from tests.support.stack import Stack

BEGIN = 1_700_000_000_000
PAUSE = 10
"""Seconds; much longer than the player waits when it cuts pauses."""
SHOW = rf"printf '\033[32m%s\033[0m\n' first-$((1+0)); ls -l /; sleep {PAUSE}; echo last-$((1+1))"


def _record(page: Page, image: str) -> TerminalOnPage:
    page.goto("/")
    card = page.locator(f'[data-image="{image}"]')
    card.get_by_label("Record").check()
    card.get_by_role("button", name="Start").click()
    page.wait_for_url("**/sessions/*")
    terminal = TerminalOnPage(page)
    terminal.expect_prompt()
    expect(page.get_by_text("Recorded", exact=True)).to_be_visible()
    return terminal


def _recorded(page: Page) -> Locator:
    """The recordings of the session that has ended, once they are whole."""
    recordings = page.locator("pg-recordings")
    expect(recordings.get_by_role("link", name="Delete the recording")).to_be_visible()
    return recordings


def _left(player: Locator) -> int:
    """Seconds that are still to be played; all of them where it does not play yet."""
    remaining = player.locator(".ap-time-remaining")
    expect(remaining).to_have_text(re.compile(r"\d\d:\d\d"))
    minutes, seconds = re.findall(r"\d\d", remaining.text_content() or "")
    return int(minutes) * 60 + int(seconds)


def _until_over(player: Locator) -> None:
    """It has played to its end: from here on it stays where it is sent."""
    expect(player.get_by_role("button", name="Play")).to_be_visible()


def test_record_end_play_seek_delete(open_page: Callable[..., Page], stack: Stack, results: Path, image: str) -> None:
    page = open_page(viewport=SIZES["wide"], color_scheme="dark")
    terminal = _record(page, image)
    terminal.type(SHOW)
    terminal.expect("^last-2")
    end(page)
    recordings = _recorded(page)
    assert violations(page) == []
    path = recordings.get_by_role("link", name="Play").get_attribute("href")
    assert path is not None

    # In every look; the one that is wide and light plays on.
    for scheme in ("dark", "light"):
        for size in ("narrow", "wide"):
            page = open_page(viewport=SIZES[size], color_scheme=scheme)
            page.goto(path)
            player = page.locator(".ap-player")
            player.get_by_role("button", name="Play").click()
            expect(player).to_contain_text("last-2")
            page.screenshot(path=results / f"playback-{scheme}-{size}.png")
            assert fits(page)
            assert violations(page) == []

    _until_over(player)
    # What is behind the middle is not there yet; at the end it is.
    page.keyboard.press("0")
    expect(player).not_to_contain_text("first-1")
    page.keyboard.press("9")
    expect(player).to_contain_text("first-1")
    with_cuts = _left(player)
    # The same moment, in a recording that is longer now.
    page.get_by_label("Cut pauses").uncheck()
    expect(player).to_contain_text("first-1")
    page.locator(".ap-wrapper").focus()
    page.keyboard.press("0")
    expect(player).not_to_contain_text("first-1")
    assert with_cuts < PAUSE / 2 < _left(player)
    page.get_by_label("Speed").select_option("8")
    page.locator(".ap-wrapper").focus()
    page.keyboard.press("Space")
    expect(player).to_contain_text("last-2")

    _downloads(page, path)
    _deletes(page, stack, path)


def test_stop_in_the_middle(open_page: Callable[..., Page], results: Path, image: str) -> None:
    page = open_page(viewport=SIZES["wide"], color_scheme="dark")
    terminal = _record(page, image)
    terminal.type("echo before-$((1+1))")
    terminal.expect("^before-2")
    other = open_page(viewport=SIZES["narrow"], color_scheme="light")
    other.goto(page.url)
    expect(other.get_by_role("button", name="Stop recording")).to_be_visible()
    other.screenshot(path=results / "recorded-light-narrow.png")
    assert fits(other)

    page.screenshot(path=results / "recorded-dark-wide.png")
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_role("dialog")).to_contain_text("be begun again")
    page.screenshot(path=results / "recorded-question-dark-wide.png")
    assert violations(page) == []
    page.get_by_role("button", name="Go on recording").click()
    expect(page.get_by_text("Recorded", exact=True)).to_be_visible()
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop recording").click()
    for window in (page, other):
        expect(window.get_by_role("link", name="Recording stopped")).to_be_visible()
        expect(window.get_by_role("button", name="Stop recording")).to_have_count(0)
        assert violations(window) == []
    page.screenshot(path=results / "recording-stopped-dark-wide.png")
    other.screenshot(path=results / "recording-stopped-light-narrow.png")

    terminal.type("echo after-$((1+1))")
    terminal.expect("^after-2")
    end(page)
    page.screenshot(path=results / "recording-stopped-ended-dark-wide.png")
    _recorded(page).get_by_role("link", name="Play").click()
    expect(shown(page, "Recording was stopped here")).to_be_visible()
    page.locator(".ap-player").get_by_role("button", name="Play").click()
    expect(page.locator(".ap-player")).to_contain_text("before-2")
    page.locator(".ap-wrapper").focus()
    page.keyboard.press("9")
    expect(page.locator(".ap-player")).not_to_contain_text("after-2")


def test_a_long_one_plays_before_it_is_there(
    open_page: Callable[..., Page], stack: Stack, results: Path, image: str
) -> None:
    page = open_page(viewport=SIZES["wide"], color_scheme="light")
    _record(page, image)
    end(page)
    path = _recorded(page).get_by_role("link", name="Play").get_attribute("href")
    assert path is not None
    _file(stack, path).write_bytes(_long())
    lasts = LINES * 100
    values = f"duration_ms={lasts}, played_ms={lasts}, size_bytes={_file(stack, path).stat().st_size}"
    model = "from playground.recordings.models import Recording"
    stack.manage("shell", "-c", f"{model}; Recording.objects.filter(pk='{path.rsplit('/', 1)[1]}').update({values})")
    network = page.context.new_cdp_session(page)
    # It takes a minute; after what is to be seen meanwhile, the rest comes at once.
    _throttle(network, 256 << 10)
    page.goto(path)
    player = page.locator(".ap-player")
    player.get_by_role("button", name="Play").click()
    expect(player).to_contain_text(re.compile(r"line \d+ "))
    expect(page.get_by_text(re.compile(r"of .* are here"))).to_be_visible()
    page.screenshot(path=results / "playback-loading-light-wide.png")
    assert violations(page) == []
    page.locator(".ap-wrapper").focus()
    # What is not there yet is waited for; it can be looked at elsewhere meanwhile.
    page.keyboard.press("9")
    expect(page.get_by_text(re.compile(r"of .* are here"))).to_be_visible()
    _throttle(network, -1)
    expect(player).to_contain_text(re.compile(r"line (899|9\d\d) "))
    expect(page.get_by_text("are here")).to_have_count(0)
    page.get_by_label("Speed").select_option("8")
    _until_over(player)
    page.locator(".ap-wrapper").focus()
    page.keyboard.press("0")
    expect(player).to_contain_text("line 0 ")
    expect(player).not_to_contain_text("line 50 ")


LINES = 1000


def _throttle(network: CDPSession, rate: int) -> None:
    """Bytes a second each way; -1: no limit."""
    conditions = {"offline": False, "latency": 0, "downloadThroughput": rate, "uploadThroughput": rate}
    network.send("Network.emulateNetworkConditions", conditions)


def _long() -> bytes:
    """A recording of some 16 MB, in which nobody waits for more than a tenth of a second."""
    cast = Cast(Position(at_ms=BEGIN))
    content = header(80, 24, BEGIN, "long") + cast.position.comment()
    padding = "\r" + "x" * 79
    for number in range(LINES):
        cast.output(f"{padding * 200}\r\x1b[Kline {number} \r\n".encode(), BEGIN + number * 100)
        content += cast.batch()
    cast.finish("complete", BEGIN + LINES * 100)
    return content + cast.batch()


def _file(stack: Stack, path: str) -> Path:
    """Of the recording that is played at that path."""
    return stack.data / "recordings" / f"{path.rsplit('/', 1)[1].replace('-', '')}.cast"


def _downloads(page: Page, path: str) -> None:
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    content = started.value.path().read_bytes()
    check_version_3(content)
    assert "last-2" in text_of(content)
    with page.expect_download() as started:
        page.get_by_role("link", name="asciicast version 2").click()
    assert started.value.path().read_bytes().startswith(b'{"version": 2,')


def _deletes(page: Page, stack: Stack, path: str) -> None:
    file = _file(stack, path)
    page.goto("/recordings")
    mine = page.get_by_role("row").filter(has=page.locator(f'a[href="{path}"]'))
    expect(mine).to_be_visible()
    assert violations(page) == []
    mine.get_by_role("link", name="Delete the recording").click()
    expect(page.get_by_role("heading", name="Delete this recording?")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Keep it").click()
    expect(page.get_by_role("link", name="Keep it")).to_have_count(0)
    assert file.exists()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The recording is deleted.")).to_be_visible()
    expect(mine).to_have_count(0)
    assert not file.exists()
    assert page.request.get(path).status == 404
