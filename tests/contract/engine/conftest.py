"""The same promises of every engine: `runtime/engines/base.py`."""

from collections.abc import AsyncIterator

import pytest

from tests.support.engine import Case, Kind, running


@pytest.fixture(params=list(Kind), ids=str)
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    """One engine with an instance of its own; the test fails when it leaves anything there."""
    async with running(request.param) as ready:
        yield ready
