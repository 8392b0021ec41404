"""The OpenAPI document against the running site: schemathesis looks for an answer that it does not promise."""

import json

import schemathesis
from hypothesis import HealthCheck, Phase, assume, settings

from playground.api.site import api
from playground.images.models import Image
from playground.sessions.models import Profile
from tests.support.live_site import LiveSite
from tests.support.people import Person

REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]
"""What may be answered to a request that breaks the schema: what is too large is refused before it is looked at."""
checks = {"negative_data_rejection": {"expected-statuses": REFUSALS}}
document = schemathesis.openapi.from_dict(
    json.loads(json.dumps(api.get_openapi_schema())),
    config=schemathesis.config.SchemathesisConfig.from_dict({"checks": checks}),
)
# No worker runs here, or it would make machines for what schemathesis makes up; so this one rightly answers 503.
schema = document.exclude(path="/api/v1/readyz")


def can_be(body: object) -> bool:
    """What JSON Schema can't say of `POST /sessions`: machines differ by name, and none is called as the first is;
    an allow-list has hosts and networks on it, and belongs to one egress.
    """
    network = body.get("network") if isinstance(body, dict) else None
    if isinstance(network, dict) and network.get("allowed") is not None:
        return False
    machines = body.get("machines") if isinstance(body, dict) else None
    if not isinstance(machines, list):
        return True
    names = [str(machine.get("name")) for machine in machines if isinstance(machine, dict)]
    return len(set(names)) == len(names) and not {"main", "localhost"} & set(names)


@schema.parametrize()
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation(case: schemathesis.Case, site: LiveSite, ann: Person, image: Image, profile: Profile) -> None:
    assume(can_be(case.body))
    case.call_and_validate(base_url=site.url, headers={"Authorization": f"Bearer {ann.key}"}, timeout=60)
