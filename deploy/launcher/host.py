"""What this host must grant: a port, a place for data, room on its disks."""

import errno
import os
import shutil
import socket
from pathlib import Path

from deploy.launcher.needs import Need
from deploy.launcher.places import Places

MEBIBYTE = 1 << 20
ROOM_FOR_DATA = 1024 * MEBIBYTE
ROOM_FOR_ENVIRONMENT = 1536 * MEBIBYTE
ROOM_TO_RUN = 100 * MEBIBYTE


def port_needs(port: int) -> list[Need]:
    """A port that nobody listens on."""
    if not 1 <= port <= 65535:
        return [Need(f"a port: {port} is none", "the site listens there", advice="Choose one from 1024 to 65535.")]
    # Without SO_REUSEPORT, which the web processes set: with it, we would join another copy unnoticed.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            why = "another program listens there" if in_use else (error.strerror or "refused")
            return [Need(f"port {port}: {why}", "the site listens there", advice="Choose another: make run PORT=8001")]
    return []


def data_needs(data: Path) -> list[Need]:
    """A data directory that we can write; made when absent. Others may pass through it, but not look into it."""
    advice = "Choose another: make run DATA=/some/where"
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not os.access(data, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        data.chmod(0o711)
    except OSError as error:
        return [Need(f"the data directory {data}: {error.strerror}", "all that is kept is there", advice=advice)]
    return []


def room_needs(places: Places, *, first: bool) -> list[Need]:
    """Free space: much before the first start, little after that."""
    needs = []
    wanted = {places.root: ROOM_FOR_ENVIRONMENT if first else 0, places.data: ROOM_FOR_DATA if first else ROOM_TO_RUN}
    devices: dict[int, tuple[Path, int]] = {}
    for place, room in wanted.items():
        if place.exists():
            device = place.stat().st_dev
            before = devices.get(device, (place, 0))[1]
            devices[device] = (place, before + room)
    for place, room in devices.values():
        free = shutil.disk_usage(place).free
        if free < room:
            what = f"room on the disk of {place}: {free // MEBIBYTE} MiB are free, {room // MEBIBYTE} MiB are needed"
            needs.append(Need(what, "packages, images and logs go there", advice="Make room or choose another DATA."))
    return needs
