"""How fast traffic goes into a network: a token bucket on its bridge on this host.

It is there before a machine is, and out of reach from inside. Traffic between the network's own machines does not pass
it. (What leaves a network is limited by the packet filter: led through a device of its own, as queues would need, it
loses its connection's state wherever the host also filters bridged packets.)

These open a netlink socket and close it; call them in a thread.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from runtime.errors import CapabilityUnavailable

ROOT = 0x10000
AT_ROOT = 0xFFFFFFFF
BURST_SECONDS, BURST_BYTES = 0.02, 128 << 10
"""What may pass at once: a bucket must hold the largest packet, 64 KiB before it is segmented."""
QUEUE_SECONDS, QUEUE_BYTES = 0.2, 256 << 10
"""What waits before packets are dropped."""
MAX_RATE = 1 << 31
NO_SUCH_DEVICE = 19


class ShapingUnavailable(CapabilityUnavailable):
    """This host's queues can't be changed from here, or its kernel has none of this kind."""


def interfaces(prefix: str) -> set[str]:
    """The interfaces of this host whose names begin so."""
    return {place.name for place in Path("/sys/class/net").glob(f"{prefix}*")}


def limit(rates: Mapping[str, int]) -> None:
    """Sends no more than so many bytes a second by these interfaces; 0: as many as they can.

    Leaves alone what is so already, and leaves out an interface that is absent. Raises ShapingUnavailable.
    """
    with _netlink() as route:
        current = {queue["index"]: _rate(queue) for queue in route.get_qdiscs() if queue["parent"] == AT_ROOT}
        _limit_each(route, rates, current)


def limit_new(rates: Mapping[str, int]) -> None:
    """`limit` for a few interfaces, without a look at the queues of all others: that takes longer with each machine.

    Raises ShapingUnavailable.
    """
    with _netlink() as route:
        _limit_each(route, rates, {})


def current_rate(interface: str) -> int:
    """What `limit` has set there; 0: nothing. Raises ShapingUnavailable."""
    with _netlink() as route:
        queues = {queue["index"]: queue for queue in route.get_qdiscs() if queue["parent"] == AT_ROOT}
    index = _index(interface)
    return _rate(queues[index]) if index in queues else 0


def _index(interface: str) -> int | None:
    try:
        return int(Path("/sys/class/net", interface, "ifindex").read_text())
    except OSError:
        return None


def _limit_each(route: IPRoute, rates: Mapping[str, int], current: Mapping[int, int]) -> None:
    """`current`: what is known to be so, by the interface's index."""
    for name, rate in rates.items():
        if index := _index(name):
            with _absence():
                _limit(route, index, min(rate, MAX_RATE), current.get(index, 0))


def _limit(route: IPRoute, index: int, rate: int, current: int) -> None:
    if rate and rate != current:
        burst = max(BURST_BYTES, int(rate * BURST_SECONDS))
        limit = burst + max(QUEUE_BYTES, int(rate * QUEUE_SECONDS))
        route.tc("replace", "tbf", index, handle=ROOT, rate=rate, burst=burst, limit=limit)
    elif current and not rate:
        route.tc("del", index=index, handle=ROOT, parent=AT_ROOT)


def _rate(queue: Any) -> int:
    """Of a token bucket, 0 for every other queue."""
    if queue.get_attr("TCA_KIND") != "tbf":
        return 0
    return int(queue.get_attr("TCA_OPTIONS").get_attr("TCA_TBF_PARMS")["rate"])


@contextlib.contextmanager
def _netlink() -> Iterator[IPRoute]:
    try:
        with IPRoute() as route:
            yield route
    except (NetlinkError, OSError) as error:
        said = str(error.args[1]) if len(error.args) > 1 else type(error).__name__
        raise ShapingUnavailable(f"The rate of a network can't be limited on this host: {said}.") from error


@contextlib.contextmanager
def _absence() -> Iterator[None]:
    """A device that went meanwhile needs nothing."""
    try:
        yield
    except NetlinkError as error:
        if error.code != NO_SUCH_DEVICE:
            raise
