"""A guest's browser: without an account, with the cookies that it was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import redis

from tests.support.live_site import LiveSite
from tests.support.people import Person


@dataclass(frozen=True)
class GuestBrowser:
    http: httpx.Client
    site: LiveSite

    def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        """As the site's own page does."""
        token = self.http.cookies.get("csrftoken", "")
        own = {"X-CSRFToken": token, "Origin": self.site.url, **headers}
        return self.http.post(path, json=body, headers=own)

    def enter(self, url: str, name: str = "Gus") -> httpx.Response:
        """Opens the link and says a name."""
        return self.post("/join/enter", {"token": token_of(url), "name": name})

    def state(self, session: object) -> httpx.Response:
        return self.http.get(f"/watch/{session}/state")

    @property
    def cookie(self) -> str:
        """All of them, as a header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)

    def socket_headers(self) -> dict[str, str]:
        return {"Cookie": self.cookie}


def forget_entries(site: LiveSite) -> None:
    """All tests come from one address: what one of them has used up is no other's matter."""
    with redis.Redis(unix_socket_path=str(site.data / "valkey.sock")) as valkey:
        for name in [*valkey.scan_iter("rate:join:*"), *valkey.scan_iter("rate:share-link:*")]:
            valkey.delete(name)


@contextmanager
def guest_browser(site: LiveSite) -> Iterator[GuestBrowser]:
    """One that has opened the page at which links are entered."""
    with httpx.Client(base_url=site.url, timeout=60) as http:
        assert http.get("/join").status_code == 200
        yield GuestBrowser(http, site)


def token_of(url: str) -> str:
    """What is behind the `#`."""
    return url.partition("#")[2]


def make_link(owner: Person, session: object, role: str = "observer", ttl: int | None = None) -> dict[str, str]:
    """The link, as the API answers it."""
    body = {"role": role, "ttl_seconds": ttl}
    answer = owner.api.post(f"/sessions/{session}/share-links", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


def guests_of(owner: Person, session: object) -> list[dict[str, object]]:
    """As the owner's page lists them."""
    answer = owner.api.get(f"/sessions/{session}/guests")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items
