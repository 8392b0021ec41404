"""What all tests share: a client of HTTP that costs what it costs the site's users."""

import ssl
from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """Each client of httpx reads all authorities that there are, 50 ms of CPU time, and no test speaks TLS."""
    context = httpx.create_ssl_context()

    def same(*_args: object, **_options: object) -> ssl.SSLContext:
        return context

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", same)
        yield
