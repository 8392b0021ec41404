"""Networks of machines: one for each session that needs one, bounded on the host before a machine is on it.

A network is named after one of its machines, carries its policy as a label, and goes with its last machine. The
engine's list is the truth from which `mend` puts the packet filter and the rates back.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from aiodocker.networks import DockerNetwork

from runtime.config import EngineConfig
from runtime.engines.base import Egress, MachineSpec
from runtime.engines.docker import names, nft
from runtime.engines.docker.client import DockerClient, classified, status_of
from runtime.engines.docker.filter_lock import FilterLock
from runtime.engines.docker.ruleset import Opening, Ruleset, bridge_of, elements
from runtime.engines.docker.spec import INSTANCE_LABEL, POLICY_LABEL, Attachment, network_body, resolver_of
from runtime.engines.reachable import is_closed, parse
from runtime.errors import CapabilityUnavailable, EngineRefused, EngineUnavailable, RuntimeFailure
from runtime.limits import shaping

RESOLVE_SECONDS = 5.0
_LOOKUPS = ThreadPoolExecutor(32, "lookup")
"""Anybody's names may have name servers that never answer: nothing else waits for these threads."""
ADDRESSES_PER_NAME = 8
SETTLED = (403, 404, 409)
"""Gone, or other machines are on it."""
NOT_HERE = (
    "The engine's networks are not on this host, so nothing would filter what machines reach. "
    "Run the worker on the engine's host, in its network namespace."
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a network's label says: what its machines reach, by which names, and how fast."""

    egress: Egress
    networks: Sequence[str] = ()
    hosts: Sequence[str] = ()
    """`NAME:ADDRESS` of the allow-list's names, as they were when the network was made."""
    download: int = 0
    upload: int = 0

    def label(self) -> str:
        """As text."""
        return json.dumps([self.egress, list(self.networks), list(self.hosts), self.download, self.upload])

    @classmethod
    def read(cls, label: str) -> "Policy":
        """What `label` wrote."""
        egress, networks, hosts, download, upload = json.loads(label)
        return cls(Egress(egress), networks, hosts, download, upload)

    def opening(self, bridge: str) -> Opening:
        """What the packet filter is told."""
        found = [*self.networks, *(host.partition(":")[2] for host in self.hosts)]
        return Opening(bridge, self.egress, tuple(collapse_addresses(IPv4Network(each) for each in found)), self.upload)


class Networks:
    """Of one instance, on one engine."""

    def __init__(self, config: EngineConfig, client: DockerClient) -> None:
        self._config = config
        self._client = client
        self._ruleset = Ruleset(config.instance, config.resolver, config.opened)
        self._lock = FilterLock(config.run_directory)
        self._filters = False
        """Whether the packet filter took the rules when it was last given them."""

    async def ensure(self, spec: MachineSpec) -> Attachment | None:
        """The network that this machine is to be on, made and bounded; None: it needs none.

        After an error nothing of a network that this made is left, except after EngineUnavailable. Raises
        CapabilityUnavailable, CapacityExceeded, EngineUnavailable, EngineRefused.
        """
        network_id = network_id_of(spec)
        if network_id is None:
            return None
        work = asyncio.create_task(self._ensure(spec, network_id))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # The engine goes on with what it was asked, so wait until there is something to remove.
            await asyncio.wait({work})
            if work.exception() is None and work.result().is_new:
                with contextlib.suppress(RuntimeFailure):
                    await asyncio.shield(self.remove(network_id))
            raise

    async def _ensure(self, spec: MachineSpec, network_id: str) -> Attachment:
        async with self.filtered():
            return await self._ensure_network(spec, network_id)

    async def _ensure_network(self, spec: MachineSpec, network_id: str) -> Attachment:
        policy = await self._policy(spec)
        made = await self._create(spec, network_id, policy)
        if not made:
            policy = await self._kept_policy(network_id)
        try:
            await self.bound({names.bridge_name(self._config.instance, network_id): policy})
        except BaseException:
            if made:
                with contextlib.suppress(RuntimeFailure):
                    await self.remove(network_id)
            raise
        return Attachment(
            names.network_name(self._config.instance, network_id),
            spec.alias,
            policy.hosts,
            resolver_of(policy.egress, self._config),
            is_new=made,
        )

    async def _policy(self, spec: MachineSpec) -> Policy:
        rates = spec.download_bytes_per_second, spec.upload_bytes_per_second
        if spec.egress is not Egress.ALLOWLIST:
            return Policy(spec.egress, (), (), *rates)
        try:
            allowed = parse(spec.allowed, self._config.opened)
        except ValueError as error:
            raise EngineRefused(f"The allow-list can't be used: {error}") from error
        found = await asyncio.gather(*(self._addresses(name) for name in allowed.names))
        hosts = [f"{name}:{address}" for name, each in zip(allowed.names, found, strict=True) for address in each]
        return Policy(spec.egress, [str(network) for network in allowed.networks], hosts, *rates)

    async def _addresses(self, name: str) -> list[str]:
        """Of a host, without those that no machine reaches. Empty when it has none now: the others must work on.

        Raises EngineUnavailable when it could not even be asked for.
        """
        asked = _LOOKUPS.submit(socket.getaddrinfo, name, None, socket.AF_INET, socket.SOCK_STREAM)
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await asyncio.wrap_future(asked)
        except TimeoutError:
            if asked.cancel():
                raise EngineUnavailable("This host looks up too many names just now.") from None
            return []
        except (OSError, UnicodeError):
            return []
        addresses = sorted({str(entry[4][0]) for entry in found})
        return [address for address in addresses if not is_closed(address, self._config.opened)][:ADDRESSES_PER_NAME]

    async def _create(self, spec: MachineSpec, network_id: str, policy: Policy) -> bool:
        """False: it was there already."""
        docker = await self._client.api()
        body = network_body(spec, self._config.instance, network_id, policy.label())
        try:
            async with classified():
                await docker.networks.create(dict(body))
        except EngineRefused as error:
            if status_of(error) != 409:
                raise
            return False
        return True

    async def _kept_policy(self, network_id: str) -> Policy:
        """Another machine of the session made it: its names stand for the same addresses in all of them."""
        network = await self._network(network_id)
        async with classified():
            return Policy.read((await network.show())["Labels"][POLICY_LABEL])

    @contextlib.asynccontextmanager
    async def filtered(self) -> AsyncIterator[None]:
        """Nobody takes the rules away. Where nothing can be filtered no bridge is to be made, so that is tried first.

        Once only: `bound` puts all of them in place for each bridge, before a machine is on it.
        """
        async with self._lock.relying():
            if not self._filters:
                await self._filter(self._ruleset.script())
            yield

    async def verify(self, policies: Mapping[str, Policy]) -> None:
        """Raises FilterUnavailable unless the kernel has our rules, and what is open for these bridges."""
        held = await nft.held(self._ruleset.table)
        wanted = elements(policy.opening(bridge) for bridge, policy in policies.items())
        if held is None or not self._ruleset.holds(held) or not wanted <= held.elements:
            raise nft.FilterUnavailable("The packet filter took our rules and does not keep them.")

    async def bound(self, policies: Mapping[str, Policy]) -> None:
        """The rules, and the rates and openings of bridges that are there.

        Raises CapabilityUnavailable for one that is not.
        """
        # The bridge is there as soon as the engine has answered.
        if not set(policies) <= shaping.interfaces(names.bridge_prefix(self._config.instance)):
            raise CapabilityUnavailable(NOT_HERE)
        if rates := _downloads(policies):
            await asyncio.to_thread(shaping.limit_new, rates)
        openings = [policy.opening(bridge) for bridge, policy in policies.items()]
        await self._filter(self._ruleset.script(openings))

    async def _filter(self, script: str) -> None:
        self._filters = False
        await nft.apply(script)
        self._filters = True

    async def _limit(self, policies: Mapping[str, Policy]) -> None:
        if rates := _downloads(policies):
            await asyncio.to_thread(shaping.limit, rates)

    async def remove(self, network_id: str) -> None:
        """Absent is success, and so is that other machines are on it: then the last of them takes it away."""
        network = await self._network(network_id)
        try:
            async with classified():
                await network.delete()
        except RuntimeFailure as error:
            if status_of(error) not in SETTLED:
                raise

    async def _network(self, network_id: str) -> DockerNetwork:
        name = names.network_name(self._config.instance, network_id)
        return DockerNetwork(await self._client.api(), name)  # type: ignore[no-untyped-call] # aiodocker's

    async def all(self) -> Mapping[str, Policy]:
        """Bridge and policy of each network that machines may be on."""
        docker = await self._client.api()
        async with classified():
            found: list[Any] = await docker.networks.list(
                filters={"label": [f"{INSTANCE_LABEL}={self._config.instance}", POLICY_LABEL]}
            )
        return {
            each["Options"]["com.docker.network.bridge.name"]: Policy.read(each["Labels"][POLICY_LABEL])
            for each in found
        }

    async def mend(self) -> None:
        """As `Engine.mend`. Looks at the host first: then what is not the engine's can't be a network's to come."""
        try:
            held = await nft.held(self._ruleset.table)
        except nft.FilterUnavailable:
            if await self.all():
                raise
            return
        policies = await self.all()
        if not policies:
            if held is not None:
                await self._take_filter_away()
            return
        await self._limit(policies)
        openings = [policy.opening(bridge) for bridge, policy in policies.items()]
        present = held.elements if held else frozenset()
        gone = {element for element in present if bridge_of(element) not in policies}
        if gone or not elements(openings) <= present or not self._ruleset.holds(held):
            await nft.apply(self._ruleset.script(openings, gone))

    async def _take_filter_away(self) -> None:
        """Unless somebody makes a network just now, or has made one since the last look."""
        with self._lock.removing() as may:
            if may and not await self.all():
                await nft.apply(self._ruleset.removal())
                self._filters = False


def _downloads(policies: Mapping[str, Policy]) -> dict[str, int]:
    return {bridge: policy.download for bridge, policy in policies.items() if policy.download}


def network_id_of(spec: MachineSpec) -> str | None:
    """Whose network the machine is on; None: it has none."""
    return spec.network_id or (spec.machine_id if spec.egress is not Egress.NONE else None)
