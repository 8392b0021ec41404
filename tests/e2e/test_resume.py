"""What the page shows after cuts, slow links and reloads, beside a terminal without a page that was fed every byte."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from runtime.remote import RemoteTerminal
from tests.e2e.terminal import TerminalOnPage, end, start
from tests.support.drawing import Drawer
from tests.support.screens import screens_of
from tests.support.stack import Stack

WORDS = ("plain", "words", "100 %", "~", "[x]")
"""Of which all terminals agree how wide they are."""
CAN_NOT_WAIT = """() => {
  const { setTimeout } = window;
  window.longWaits = 0;
  Math.random = () => 1;
  window.setTimeout = (call, delay = 0, ...rest) =>
    delay >= 1000 ? ((window.longWaits += 1), 0) : setTimeout(call, delay, ...rest);
}"""
"""From here on a wait of a second or more never ends."""
PAINTER = r"""
paint() { printf '\033[H\033[2J\033[1;36mpainted %s times\033[0m\r\n' $n; echo "the frame"; n=$((n+1)); }
n=0; trap paint WINCH
printf '\033[?1049h\033[?1h\033]2;the painter\007'; paint
awk 'BEGIN { for (i = 0; i < 30000; i++) printf "\033[5;5Hcounted to %d and somewhat further\033[K", i }'
printf '\033[7;1Hit is ready'
until [ -e "$1" ]; do sleep 0.2; done
printf '\033[?1l\033[?1049l'; echo left
"""


class Api:
    """The same session as a program of the page's person sees it."""

    def __init__(self, stack: Stack, page: Page) -> None:
        self.key = stack.manage("create_api_key", "admin").strip()
        self.session = page.url.rstrip("/").rsplit("/", 1)[-1]
        self._at = f"{stack.url}/api/v1/sessions/{self.session}"
        self._options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {self.key}"}, "timeout": 60}

    def put(self, name: str, content: bytes = b"") -> str:
        """A file of the session's own; its path."""
        path = f"/tmp/{self.session}-{name}"
        httpx.put(f"{self._at}/files", params={"path": path}, content=content, **self._options).raise_for_status()
        return path

    def remove(self, path: str) -> None:
        httpx.delete(f"{self._at}/files", params={"path": path}, **self._options).raise_for_status()

    def terminal(self) -> str:
        """The address of the first terminal's socket."""
        session: dict[str, Any] = httpx.get(self._at, **self._options).raise_for_status().json()
        return str(session["terminals"][0]["websocket_url"])

    def output_until(self, mark: str) -> bytes:
        """Every byte of the terminal from the first one on."""

        async def read() -> bytes:
            async with RemoteTerminal(self.terminal(), key=self.key, offset=0, observe=True) as terminal:
                output = b""
                while re.search(mark.encode(), output) is None:
                    output += await asyncio.wait_for(terminal.read(), 60)
                assert not any(notice["type"] == "gap" for notice in terminal.notices)
                return output

        # Playwright's own loop runs in this thread.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(read())).result()


def shown(page: Page) -> list[str]:
    """The rows of the screen as text."""
    rows = TerminalOnPage(page).rows.locator("> div").all_text_contents()
    return [row.replace("\u00a0", " ").rstrip() for row in rows]


def cut_bar(page: Page) -> Locator:
    """Says that there is no connection just now."""
    return page.locator("p.bar", has_text="The connection was cut")


@pytest.fixture
def network(page: Page) -> CDPSession:
    """Chromium's network, to be made worse."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    return session


def emulate(network: CDPSession, *, offline: bool = False, latency: int = 0, rate: int = -1) -> None:
    """Milliseconds, and bytes a second each way; -1: no limit."""
    conditions = {"offline": offline, "latency": latency, "downloadThroughput": rate, "uploadThroughput": rate}
    network.send("Network.emulateNetworkConditions", conditions)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_page_shows_what_the_bytes_say(
    page: Page, stack: Stack, image: str, network: CDPSession, seed: int
) -> None:
    """Drawn over cuts at any byte: nothing is lost, doubled or answered that should not be."""
    terminal = start(page, image)
    api = Api(stack, page)
    drawer = Drawer(seed, WORDS)
    pieces = [drawer.stream(60_000).replace(b"\x1b[?1$p", b"") for _ in range(4)]
    path = api.put("drawing", b"".join(pieces) + drawer.screenful())
    terminal.type("clear; stty size | sed 's/^/size /'")
    terminal.expect(r"^size \d+ \d+")
    _, rows, cols = next(row for row in shown(page) if re.match(r"size \d", row)).split()
    terminal.type(f"cat {path}; sleep 1; printf '\\033[3;1Hdr''awn'; sleep 300")
    for latency in (0, 200):
        emulate(network, offline=True, latency=latency)
        expect(cut_bar(page)).to_be_visible()
        emulate(network, latency=latency)
        expect(cut_bar(page)).to_be_hidden()
    emulate(network)
    terminal.expect("^drawn")
    (reference,) = screens_of([api.output_until("3;1Hdrawn")], int(cols), int(rows))
    expect(terminal.rows.locator("> div").first).to_have_text(re.compile(re.escape(reference["text"][0].strip()[:10])))
    assert shown(page) == [row.rstrip() for row in reference["text"]]
    page.keyboard.press("Control+c")
    api.remove(path)
    end(page)


def test_a_reload_after_too_much_has_a_clean_screen(page: Page, stack: Stack, image: str) -> None:
    terminal = start(page, image)
    api = Api(stack, page)
    path = api.put("painter", PAINTER.encode())
    terminal.type(f"sh {path} {path}-enough")
    terminal.expect("^it is ready")
    page.reload()
    terminal.expect(r"^painted \d+ times")
    terminal.expect("^the frame")
    assert not [row for row in shown(page) if "\\033" in row or re.match(r"^\d*[;mH]", row)]
    enough = api.put("painter-enough")
    terminal.expect("^left")
    terminal.expect_prompt()
    assert terminal.count("painted") == 0, "the main screen is there again"
    terminal.type("echo $((6*7))")
    terminal.expect("^42")
    api.remove(path)
    api.remove(enough)
    end(page)


def test_ctrl_c_under_a_flood_on_a_slow_and_distant_link(page: Page, image: str, network: CDPSession) -> None:
    terminal = start(page, image)
    emulate(network, latency=150, rate=125_000)
    terminal.type("yes flooded")
    terminal.expect("^flooded$")
    page.keyboard.press("Control+c")
    terminal.expect(r"\^C")
    terminal.expect_prompt()
    terminal.type("echo still-$((6*7))")
    terminal.expect("^still-42")
    emulate(network)
    end(page)


def test_coming_online_does_not_wait(page: Page, image: str, network: CDPSession) -> None:
    """After a long cut the next attempt would be seconds away; here it never comes."""
    terminal = start(page, image)
    page.evaluate(CAN_NOT_WAIT)
    emulate(network, offline=True)
    expect(cut_bar(page)).to_be_visible()
    page.wait_for_function("() => window.longWaits > 0")
    terminal.type("echo in-the-dark | tr a-z A-Z")
    emulate(network)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(cut_bar(page)).to_be_hidden()
    terminal.expect("^IN-THE-DARK")
    assert terminal.count("^IN-THE-DARK") == 1
    end(page)
