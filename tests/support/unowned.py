"""What an engine and a site have left on this host, by the kernel's and the engine's word, without asking our own code.

Things are listed first and rows after them: whatever has an owner has had it since before it was made.
"""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pyroute2 import IPRoute

from runtime.engines.base import SESSION_LABEL, probe_machine_id
from runtime.engines.docker.names import bridge_prefix, table_name
from runtime.engines.docker.spec import MACHINE_LABEL, PROBE_LABEL
from tests.support.own_engine import OwnEngine
from tests.support.processes import processes_with
from tests.support.rows import Rows
from tests.support.stack import Stack
from tests.support.waiting import until

KINDS = (
    *("container", "network", "volume", "bridge", "rule", "qdisc", "mount", "cgroup", "process"),
    *("directory", "row", "quota"),
)
ENGINES_OWN = ("bridge", "host", "none")
LIVE = ("running", "paused")
_SHIM = re.compile(r" -id ([0-9a-f]{64}) ")
_LAYER = re.compile(r"/overlay2/([^/]+)/merged$")
_OF_CONTAINER = re.compile(r"/containers/([0-9a-f]{64})/")


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    kind: str
    """One of KINDS."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class LeftBehind(AssertionError):
    """Things that should have gone."""

    def __init__(self, words: str, things: Collection[Thing]) -> None:
        super().__init__("\n    ".join([f"{words}. Left:", *map(str, sorted(things))]))
        self.things = things


@dataclass(slots=True)
class _Engine:
    """What the engine knows."""

    containers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    networks: list[Mapping[str, Any]] = field(default_factory=list)
    volumes: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def bridges(self) -> set[str]:
        return {each["Options"].get("com.docker.network.bridge.name", "") for each in self.networks}

    def states(self) -> dict[str, str]:
        """Of each machine."""
        return {
            each["Config"]["Labels"][MACHINE_LABEL]: each["State"]["Status"]
            for each in self.containers.values()
            if MACHINE_LABEL in each["Config"]["Labels"]
        }


class Unowned:
    """Of one site that has an engine to itself."""

    def __init__(self, stack: Stack, own: OwnEngine) -> None:
        self._stack = stack
        self._own = own
        self._rows = Rows(stack.data)
        self._instance = (stack.data / "instance").read_text().strip()
        self._prefix = bridge_prefix(self._instance)

    def look(self, *, nobody_is_here: bool) -> set[Thing]:
        """Blocks; a fifth of a second. Raises httpx.HTTPError while the engine does not answer.

        `nobody_is_here`: no person holds a session, so none may be held and nothing may be under way.
        """
        on_host = self._on_host()
        engine = self._ask_engine()
        owners = self._owners()
        found = {thing for thing in on_host if not self._is_known(thing, engine)}
        found |= self._on_engine(engine, owners) | self._directories(owners)
        found |= {Thing("process", each) for each in self._processes()}
        found |= self._held_by_the_dead(engine)
        return found | (self._unfinished() if nobody_is_here else set())

    async def until_gone(
        self, what: str, within: float, *, but: Collection[str] = (), besides: Collection[Thing] = ()
    ) -> None:
        """Until there is nothing, while nobody is here, but things of the kinds `but`, and those that are `besides`.

        Raises LeftBehind after so many seconds.
        """
        left: set[Thing] = set()

        async def clean() -> bool:
            nonlocal left
            found = await asyncio.to_thread(self.look, nobody_is_here=True)
            left = {thing for thing in found if thing.kind not in but and thing not in besides}
            return not left

        try:
            await until(clean, what, within)
        except AssertionError as error:
            raise LeftBehind(str(error), left) from None

    def _on_host(self) -> set[Thing]:
        """All of the engine's and the site's that is no process; whether it is known is asked afterwards."""
        bridges = [path.name for path in Path("/sys/class/net").glob(f"{self._prefix}*")]
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        below = (f"{self._own.directory}/", f"{self._stack.data}/")
        return {
            *(Thing("bridge", name) for name in bridges),
            *(Thing("qdisc", name) for name in self._shaped()),
            *(Thing("rule", rule) for rule in self._rules()),
            *(Thing("mount", place) for place in mounts if place.startswith(below)),
            *(Thing("cgroup", name) for name in self._own.all_cgroups()),
            *(Thing("process", line) for line in processes_with(str(self._own.directory)) if _SHIM.search(line)),
        }

    def _shaped(self) -> list[str]:
        """Our interfaces that have a token bucket."""
        with IPRoute() as route:
            queues = [queue["index"] for queue in route.get_qdiscs() if queue.get_attr("TCA_KIND") == "tbf"]
            names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in route.get_links()}
        return [names[index] for index in queues if names.get(index, "").startswith(self._prefix)]

    def _rules(self) -> Iterator[str]:
        """Lines of the packet filters that name one of our bridges, and our table itself."""
        table = table_name(self._instance)
        if f" {table}\n" in _said("nft", "list", "tables"):
            yield table
            listing = _said("nft", "list", "table", "inet", table)
            yield from (f"{table} {bridge}" for bridge in sorted(self._bridges_in(listing)))
        for tool in ("iptables-save", "ip6tables-save"):
            for line in _said(tool).splitlines():
                yield from (f"{tool} {bridge}: {line}" for bridge in self._bridges_in(line))

    def _bridges_in(self, text: str) -> set[str]:
        return set(re.findall(rf"\b{self._prefix}[a-z2-7]{{8}}\b", text))

    def _ask_engine(self) -> _Engine:
        socket = self._own.host.removeprefix("unix://")
        with httpx.Client(transport=httpx.HTTPTransport(uds=socket), base_url="http://engine", timeout=20) as http:

            def get(path: str) -> Any:
                return http.get(path).raise_for_status().json()

            found = _Engine()
            for listed in get("/containers/json?all=1"):
                answer = http.get(f"/containers/{listed['Id']}/json")
                if answer.status_code != 404:
                    found.containers[listed["Id"]] = answer.raise_for_status().json()
            found.networks = [each for each in get("/networks") if each["Name"] not in ENGINES_OWN]
            found.volumes = get("/volumes")["Volumes"] or []
        return found

    def _is_known(self, thing: Thing, engine: _Engine) -> bool:
        """Whether it is of a container or a network that the engine knows."""
        match thing.kind:
            case "bridge" | "qdisc":
                return thing.name in engine.bridges
            case "rule":
                named = self._bridges_in(thing.name)
                return bool(engine.networks) if not named else named <= engine.bridges
            case "cgroup":
                return thing.name in engine.containers
            case "mount":
                return self._is_mounted(thing.name, engine)
            case _:
                shim = _SHIM.search(thing.name)
                return shim is not None and shim[1] in engine.containers

    def _is_mounted(self, place: str, engine: _Engine) -> bool:
        if not place.startswith(f"{self._own.directory}/"):
            return False
        if layer := _LAYER.search(place):
            # One that is being removed has no data any more.
            data = [each["GraphDriver"]["Data"] or {} for each in engine.containers.values()]
            return any(layer[1] in each.get("MergedDir", "") for each in data)
        if container := _OF_CONTAINER.search(place):
            return container[1] in engine.containers
        if "/netns/" in place:
            keys = {Path(each["NetworkSettings"]["SandboxKey"]).name for each in engine.containers.values()}
            # One for all containers that are on the host's network.
            return Path(place).name in keys | {"default"}
        return place in self._own.standing_mounts()

    def _owners(self) -> set[str]:
        """Ids of machines and sessions that there are, and of the machine in which the host is probed."""
        machines = self._rows.all("SELECT id FROM playground_sessions_machine WHERE state <> 'removed'")
        sessions = self._rows.all("SELECT id FROM playground_sessions_session WHERE state <> 'ended'")
        owners = {str(row[0]) for row in [*machines, *sessions]}
        now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
        if self._rows.one(f"SELECT 1 FROM playground_sessions_lease WHERE name = 'probe' AND until > {now}"):
            owners.add(probe_machine_id(self._instance))
        return owners

    def _on_engine(self, engine: _Engine, owners: set[str]) -> set[Thing]:
        probing = probe_machine_id(self._instance) in owners

        def is_owned(labels: Mapping[str, str] | None) -> bool:
            labels = labels or {}
            named = {labels.get(MACHINE_LABEL), labels.get(SESSION_LABEL)}
            return bool(named & owners) or (probing and PROBE_LABEL in labels)

        containers = [(each["Name"], each["Config"]["Labels"]) for each in engine.containers.values()]
        networks = [(each["Name"], each["Labels"]) for each in engine.networks]
        volumes = [(each["Name"], each["Labels"]) for each in engine.volumes]
        listed = (("container", containers), ("network", networks), ("volume", volumes))
        return {Thing(kind, name) for kind, things in listed for name, labels in things if not is_owned(labels)}

    def _directories(self, owners: set[str]) -> set[Thing]:
        """Of machines."""
        entries = (self._stack.data / "machines").iterdir()
        return {Thing("directory", entry.name) for entry in entries if entry.name not in owners}

    def _processes(self) -> Iterable[str]:
        """Of the site, that nobody has started who lives."""
        started = {str(pid) for pid in self._stack.pids()}
        for line in processes_with(f"PLAYGROUND_DATA={self._stack.data}"):
            if not _ancestors(line.partition(":")[0]) & started:
                yield line

    def _held_by_the_dead(self, engine: _Engine) -> set[Thing]:
        """Sessions that count as running and whose machine does not live, or is not as they say."""
        states = engine.states()
        rows = self._rows.all(
            "SELECT s.id, s.state, m.id FROM playground_sessions_session s LEFT JOIN playground_sessions_machine m"
            " ON m.session_id = s.id AND m.state = 'ready' WHERE s.state IN ('running', 'paused')"
        )
        pool = self._rows.all(
            "SELECT 'pool', 'running', id FROM playground_sessions_machine WHERE state = 'ready' AND session_id IS NULL"
        )
        return {
            Thing("quota", f"{holder} is {state}, its machine {machine} is {states.get(machine or '', 'gone')}")
            for holder, state, machine in [*rows, *pool]
            if states.get(machine or "") != state
        }

    def _unfinished(self) -> set[Thing]:
        sessions = self._rows.all("SELECT id, state FROM playground_sessions_session WHERE state <> 'ended'")
        machines = self._rows.all(
            "SELECT id, state FROM playground_sessions_machine WHERE state IN ('creating', 'removing')"
        )
        held = ("running", "paused")
        return {
            *(Thing("quota" if state in held else "row", f"session {pk} {state}") for pk, state in sessions),
            *(Thing("row", f"machine {pk} {state}") for pk, state in machines),
            *(Thing("quota", f"slot {name}") for name in self._locked_slots()),
        }

    def _locked_slots(self) -> list[str]:
        """By the kernel's list: to try a lock would take it from somebody."""
        locked = {line.split()[-3].rpartition(":")[2] for line in Path("/proc/locks").read_text().splitlines()}
        slots: Sequence[Path] = sorted((self._stack.data / "slots").glob("slot-*"))
        return [slot.name for slot in slots if str(slot.stat().st_ino) in locked]


def _said(*command: str) -> str:
    """Empty where there is no such program."""
    path = shutil.which(command[0], path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        return ""
    return subprocess.run([path, *command[1:]], capture_output=True, text=True, check=False).stdout


def _ancestors(pid: str) -> set[str]:
    """The process itself, its parent, and so on."""
    found: set[str] = set()
    while pid not in {"0", ""} and pid not in found:
        found.add(pid)
        try:
            pid = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            break
    return found
