"""The three files in /etc that an engine makes for each machine: ours, read-only.

The engine's own are on the host's disk, outside of the machine's layer, and the machine's root may write them: each
would hold as much as the largest file may have, and no disk limit counts it.
"""

from collections.abc import Mapping
from pathlib import Path

from runtime.engines.docker.spec import Attachment

HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t{name}\n"
NO_RESOLVER = "nameserver 127.0.0.1\n"
ENGINES_RESOLVER = "nameserver 127.0.0.11\noptions ndots:0\n"
"""It knows the machines on the same network, and asks those that the machine was given for everything else."""


def write(directory: Path, hostname: str, attachment: Attachment | None) -> Mapping[str, Path]:
    """Writes them below the machine's directory on this host, beside `guest`; answers them by their place inside."""
    known = [entry.partition(":") for entry in (attachment.hosts if attachment else ())]
    texts = {
        "hosts": HOSTS.format(name=hostname) + "".join(f"{address}\t{name}\n" for name, _, address in known),
        "hostname": f"{hostname}\n",
        "resolv.conf": ENGINES_RESOLVER if attachment else NO_RESOLVER,
    }
    place = directory / "etc"
    place.mkdir()
    place.chmod(0o755)
    for name, text in texts.items():
        file = place / name
        file.write_text(text)
        file.chmod(0o644)
    return {f"/etc/{name}": place / name for name in texts}
