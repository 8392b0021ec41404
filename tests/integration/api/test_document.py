"""The OpenAPI document and the page to try it."""

import re

import httpx
from django.contrib.staticfiles import finders

from playground.images.api import ImageAnswer
from playground.sessions import schemas
from playground.sessions.public import (
    PublicImage,
    PublicMachine,
    PublicNetwork,
    PublicQueue,
    PublicSession,
    PublicTerminal,
)
from tests.support.live_site import LiveSite
from tests.support.waiting import WITHIN


def test_the_page_needs_nobody_else(site: LiveSite) -> None:
    page = httpx.get(f"{site.url}/api/v1/docs", timeout=WITHIN)
    assert page.status_code == 200
    addresses = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert addresses
    for address in addresses:
        assert address.startswith("/static/"), address
        assert finders.find(address.removeprefix("/static/")), address


def test_every_operation_is_complete(site: LiveSite) -> None:
    document = httpx.get(f"{site.url}/api/v1/openapi.json", timeout=WITHIN).json()
    assert document["openapi"].startswith("3.")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["operationId"], where
            assert any(status.startswith("2") for status in operation["responses"]), where
            assert "405" in operation["responses"], where
            if not path.endswith(("healthz", "readyz")):
                assert {"401", "404", "422", "429"} <= set(operation["responses"]), where
                assert operation["security"], where
    assert set(document["components"]["securitySchemes"]) == {"Bearer", "ApiKey", "Cookie"}


def test_answers_have_the_fields_of_what_is_public() -> None:
    """Events and pages use the one, the document the other."""
    for model, public in (
        (schemas.SessionAnswer, PublicSession),
        (schemas.ReachAnswer, PublicNetwork),
        (schemas.QueueAnswer, PublicQueue),
        (schemas.MachineAnswer, PublicMachine),
        (schemas.TerminalAnswer, PublicTerminal),
        (ImageAnswer, PublicImage),
    ):
        assert set(model.model_fields) == set(public.__annotations__)
