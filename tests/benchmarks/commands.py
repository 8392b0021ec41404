"""exec of `true` through the API, beside `docker exec`.

The client does next to nothing: a connection that is kept, and bytes. The peer's is the docker command.
"""

import asyncio
import http.client
import json
import time
from urllib.parse import urlsplit

from tests.benchmarks.figures import Comparison, Figure
from tests.benchmarks.installation import Installation
from tests.benchmarks.site import Session, Site

ROUNDS = 100
BODY = json.dumps({"command": ["true"]})


async def true(made: Installation) -> Comparison:
    """Ours and the peer in turn, in the same container."""
    ours, peer = [], []
    site = made.site()
    async with site.session(made.image) as session:
        container = made.docker.container_of(session["machines"][0]["id"])
        connection = http.client.HTTPConnection(urlsplit(made.stack.url).netloc, timeout=60)
        for _ in range(ROUNDS):
            ours.append(await asyncio.to_thread(_execute, connection, site, session))
            peer.append(await asyncio.to_thread(made.docker.exec_true, container))
        connection.close()
    comparison = Comparison(
        "exec of `true` through the API",
        Figure("ours", "ms", ours),
        Figure("docker exec", "ms", peer),
        "p50 at most 0.2 of it",
    )
    comparison.met = (comparison.ratio or 1) <= 0.2
    return comparison


def _execute(connection: http.client.HTTPConnection, site: Site, session: Session) -> float:
    start = time.perf_counter()
    headers = {**site.headers, "Content-Type": "application/json"}
    connection.request("POST", f"/api/v1/sessions/{session['id']}/exec", BODY, headers)
    answer = connection.getresponse()
    body = answer.read()
    elapsed = (time.perf_counter() - start) * 1000
    assert answer.status == 200, body
    assert json.loads(body)["exit_code"] == 0, body
    return elapsed
