"""Whether this host bounds what machines do on networks, found by trying: with a network that no machine is on."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

from runtime.config import EngineConfig
from runtime.engines.base import Capability, Egress
from runtime.engines.docker import names
from runtime.engines.docker.client import DockerClient, classified
from runtime.engines.docker.networks import Networks, Policy
from runtime.engines.docker.spec import INSTANCE_LABEL, POLICY_LABEL, PROBE_LABEL
from runtime.errors import EngineUnavailable, RuntimeFailure
from runtime.limits import shaping

EGRESS_FILTER, BANDWIDTH = "egress_filter", "bandwidth"
RATE = 1 << 20
POLICY = Policy(Egress.INTERNET, download=RATE, upload=RATE)
FILTERED = "by bridge, in nftables, before the engine's own rules; tried"
LIMITED = "by bridge; tried"
ADVICE = "The worker must be root, with nftables, on the engine's host and in its network namespace."


async def probe(networks: Networks, config: EngineConfig, client: DockerClient) -> Sequence[Capability]:
    """`egress_filter` and `bandwidth`. Leaves nothing behind. Raises EngineUnavailable."""
    try:
        return await _tried(networks, config, client)
    finally:
        with contextlib.suppress(RuntimeFailure):
            await networks.mend()  # takes the filter away again when there are no networks


async def _tried(networks: Networks, config: EngineConfig, client: DockerClient) -> Sequence[Capability]:
    try:
        async with networks.filtered(), _network(config, client) as bridge:
            await networks.bound({bridge: POLICY})
            await networks.verify({bridge: POLICY})
            rate = await asyncio.to_thread(shaping.current_rate, bridge)
    except shaping.ShapingUnavailable as error:
        return [Capability(EGRESS_FILTER, True, FILTERED), Capability(BANDWIDTH, False, str(error))]
    except EngineUnavailable:
        raise
    except RuntimeFailure as error:
        why = f"{error} {ADVICE}"
        return [Capability(EGRESS_FILTER, False, why), Capability(BANDWIDTH, False, why)]
    kept = rate == RATE
    limited = Capability(BANDWIDTH, kept, LIMITED if kept else "The kernel took a rate and did not keep it.")
    return [Capability(EGRESS_FILTER, True, FILTERED), limited]


@contextlib.asynccontextmanager
async def _network(config: EngineConfig, client: DockerClient) -> AsyncIterator[str]:
    """The bridge of a network of its own, on this host or not. Its age is on it: the sweep finds what we leave."""
    name = uuid4().hex
    docker = await client.api()
    body = {
        "Name": names.network_name(config.instance, name),
        "Options": {"com.docker.network.bridge.name": names.bridge_name(config.instance, name)},
        "Labels": {
            INSTANCE_LABEL: config.instance,
            POLICY_LABEL: POLICY.label(),
            PROBE_LABEL: str(int(time.time())),
        },
    }
    async with classified():
        network = await docker.networks.create(body)
    try:
        yield names.bridge_name(config.instance, name)
    finally:
        async with classified():
            await network.delete()
