"""An engine of our own, where the host has none: what to install, and the command line that a supervisor runs.

    find() -> str | None                        DOCKER_HOST or the host's usual socket, if something answers there
    can_install() -> str | None                 why we can't install an engine here, or None when we can
    install(progress)                           Debian's packages; raises EngineUnavailable
    command(data_directory) -> Command          argv and environment for the supervisor; prepares the directory
    docker_host(data_directory) -> str          where that engine will answer
    prepared(data_directory) -> bool            a private engine was set up for this data directory before: keep to it
    wait(docker_host, seconds)                  until it answers; raises EngineUnavailable

`python -m runtime.engines.docker.private DATA` does these in order and prints one JSON object: `docker_host`,
`command` (null when an engine was found) and `environment`. Progress and errors go to stderr; it exits with 1 when
there is no engine.

The private engine remaps the root of every machine to an unprivileged user, has a bridge of its own, keeps machines
running while it is restarted, and reads nothing from /etc/docker. The bridge is ours because two engines would fight
over docker0; `--bridge=none` is no way out, since dockerd then deletes docker0 even when it is another engine's. It is
started by `runtime.engines.docker.daemon`, which mends what keeps it from starting.
"""

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from urllib.parse import urlsplit

from runtime.engines.base import ProgressCallback
from runtime.engines.docker.host_bridges import make_bridge
from runtime.engines.docker.subnets import NETWORK_BITS, free_block
from runtime.errors import EngineUnavailable

PACKAGES = ("docker.io", "mmdebstrap", "iptables", "nftables", "apparmor", "ca-certificates")
SERVICES = ("docker.socket", "docker.service", "containerd.service")
ROOT = Path(__file__).resolve().parents[3]
KEYS = Path("/proc/sys/kernel/keys")
KEYS_OF_A_USER = {"maxkeys": 20_000, "maxbytes": 2_000_000}
"""Every machine has one of the kernel's keyrings, of some 70 bytes. All are of one user, who may have 200."""
LONGEST_HOME = 60
"""Below it lie Unix sockets (containerd's, libnetwork's), and their paths have 108 bytes."""


@dataclass(frozen=True, slots=True)
class Command:
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def find() -> str | None:
    """The engine that this host offers already: `DOCKER_HOST` when set (and then no other), else the usual socket."""
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    return host if answers(host) else None


def answers(docker_host: str, seconds: float = 3.0) -> bool:
    """Whether an engine answers a ping there."""
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError), _connect(docker_host, seconds) as plain:
        connection = http.client.HTTPConnection("engine", timeout=seconds)
        connection.sock = plain
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    return False


def _connect(docker_host: str, seconds: float) -> socket.socket:
    parts = urlsplit(docker_host)
    if parts.scheme == "unix":
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(seconds)
        try:
            plain.connect(parts.path)
        except OSError:
            plain.close()
            raise
        return plain
    if parts.scheme in {"tcp", "http"} and parts.hostname:
        return socket.create_connection((parts.hostname, parts.port or 2375), seconds)
    raise ValueError(f"DOCKER_HOST={docker_host} is neither unix:// nor tcp://")


def can_install() -> str | None:
    """None when `install` may be tried; else a sentence for a person that says what is missing."""
    if sys.platform != "linux":
        return "No Docker engine answers. Start Docker, or set DOCKER_HOST."
    if os.geteuid() != 0:
        return (
            "No Docker engine answers, and only root can install one. Install it (Debian, Ubuntu: "
            "sudo apt-get install docker.io mmdebstrap) and join its group, or set DOCKER_HOST."
        )
    if shutil.which("apt-get") is None:
        return "No Docker engine answers, and this is no Debian or Ubuntu. Install Docker, or set DOCKER_HOST."
    return None


def missing_packages() -> list[str]:
    """What `install` would fetch."""
    needed = {
        "docker.io": "dockerd",
        "mmdebstrap": "mmdebstrap",
        "iptables": "iptables",
        "nftables": "nft",
        "apparmor": "apparmor_parser",
    }
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    gone = [package for package, program in needed.items() if shutil.which(program, path=path) is None]
    return [package for package in PACKAGES if package in gone]


def install(progress: ProgressCallback) -> None:
    """Installs the engine and what builds images, and starts no service: ours is the only engine that we start.

    Repeatable; does nothing when all is there. Raises EngineUnavailable with the end of apt's words.
    """
    packages = missing_packages()
    if not packages:
        progress(1.0, "The engine is installed")
        return
    progress(0.0, "Reading the package lists")
    _apt("update")
    progress(0.2, f"Installing {', '.join(packages)}")
    with _services_held():
        _apt("install", "--yes", "--no-install-recommends", *packages)
    progress(1.0, "The engine is installed")


def _apt(*arguments: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-5:])
        raise EngineUnavailable(f"apt-get {arguments[0]} failed:\n{tail}")


@contextlib.contextmanager
def _services_held() -> Iterator[None]:
    """Debian starts what it installs. The masks live in /run: even if we are killed here, a reboot forgets them."""
    if not Path("/run/systemd/system").is_dir():
        yield
        return
    subprocess.run(["systemctl", "mask", "--runtime", *SERVICES], check=False, capture_output=True)
    try:
        yield
        subprocess.run(["systemctl", "disable", *SERVICES], check=False, capture_output=True)
    finally:
        subprocess.run(["systemctl", "unmask", "--runtime", *SERVICES], check=False, capture_output=True)


def home(data_directory: Path) -> Path:
    """Where the private engine of this data directory lives.

    Inside it, unless the remapped root could not reach its own files there (a directory above, such as /root, is
    closed to others) or socket paths would become too long: then below /var/lib, named after the data directory.
    """
    wanted = data_directory.resolve() / "engine"
    if len(str(wanted)) <= LONGEST_HOME and _open_to_others(wanted.parent):
        return wanted
    name = hashlib.sha256(str(data_directory.resolve()).encode()).hexdigest()[:12]
    return Path("/var/lib/container-playground") / name


def _open_to_others(directory: Path) -> bool:
    existing = (place for place in [directory, *directory.parents] if place.exists())
    return all(place.stat().st_mode & 0o001 for place in existing)


def prepared(data_directory: Path) -> bool:
    """Whether this data directory has a private engine: its images and machines are there, so keep to it."""
    return (home(data_directory) / "address-pool").is_file()


def docker_host(data_directory: Path) -> str:
    """Where the private engine of this data directory answers once it runs."""
    return f"unix://{home(data_directory)}/docker.sock"


def command(data_directory: Path) -> Command:
    """What a supervisor runs, in the foreground. Makes the engine's directory and bridge, and room for more than 200
    machines; the same answer every time.

    Call it before every start: a reboot forgets the last two. Raises EngineUnavailable where no bridge can be made.
    """
    place = home(data_directory)
    for directory in (place.parent, place):
        directory.mkdir(mode=0o711, parents=True, exist_ok=True)
    place.chmod(0o711)
    (place / "daemon.json").write_text("{}\n")
    program = shutil.which("dockerd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") or "dockerd"
    bridge = bridge_name(data_directory)
    make_bridge(bridge)
    make_room_for_keys(KEYS)
    argv = [
        *(sys.executable, "-m", "runtime.engines.docker.daemon"),
        program,
        *("--config-file", str(place / "daemon.json")),
        *("--data-root", str(place / "data")),
        *("--exec-root", str(place / "exec")),
        *("--pidfile", str(place / "dockerd.pid")),
        *("--host", docker_host(data_directory)),
        *("--group", "root"),
        "--userns-remap=default",
        "--live-restore",
        *("--bridge", bridge),
        "--icc=false",
        "--userland-proxy=false",
        "--log-driver=none",
        "--log-level=warn",
        *("--default-address-pool", f"base={_address_pool(place)},size={NETWORK_BITS}"),
    ]
    # dockerd looks for its helpers (runc, containerd, iptables) on PATH; HOME would lead it to a person's credentials.
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return Command(argv, {"PATH": path, "HOME": str(place), "PYTHONPATH": str(ROOT)})


def make_room_for_keys(directory: Path) -> None:
    """Nothing where the kernel has no keyrings, or they are not ours to set: then 200 machines are what it can do."""
    for name, wanted in KEYS_OF_A_USER.items():
        with contextlib.suppress(OSError):
            if int((directory / name).read_text()) < wanted:
                (directory / name).write_text(str(wanted))


def bridge_name(data_directory: Path) -> str:
    """The interface that this engine's containers without a network of their own are on."""
    return "pg" + hashlib.sha256(str(home(data_directory)).encode()).hexdigest()[:10]


def _address_pool(place: Path) -> IPv4Network:
    """Chosen once and kept: the networks of a stopped engine come back with it."""
    kept = place / "address-pool"
    if kept.is_file():
        return IPv4Network(kept.read_text().strip())
    block = free_block(_taken_addresses(), str(place))
    draft = place / "address-pool.new"
    draft.write_text(f"{block}\n")
    draft.rename(kept)
    return block


def _taken_addresses() -> list[IPv4Network]:
    """What this host's routes and name servers use, and our engines that are not running."""
    taken = [
        IPv4Network(pool.read_text().strip()) for pool in Path("/var/lib/container-playground").glob("*/address-pool")
    ]
    routes = Path("/proc/net/route").read_text().splitlines()[1:] if Path("/proc/net/route").exists() else []
    for line in routes:
        _, destination, _, _, _, _, _, mask, *_ = line.split()
        address, bits = (int.from_bytes(bytes.fromhex(word)[::-1]) for word in (destination, mask))
        if bits:
            taken.append(IPv4Network((address, bits.bit_count())))
    for line in Path("/etc/resolv.conf").read_text().splitlines() if Path("/etc/resolv.conf").exists() else []:
        with contextlib.suppress(ValueError):
            keyword, server, *_ = [*line.split(), "", ""]
            if keyword == "nameserver":
                taken.append(IPv4Network(server))
    return taken


def wait(docker_host: str, seconds: float = 60.0) -> None:
    """Returns when an engine answers there; raises EngineUnavailable when none has by then."""
    deadline = time.monotonic() + seconds
    while not answers(docker_host):
        if time.monotonic() > deadline:
            raise EngineUnavailable(f"The engine did not answer within {seconds:.0f} seconds; its log says why.")
        time.sleep(0.1)


def _say(share: float | None, words: str) -> None:
    sys.stderr.write(f"{words}\n" if share is None else f"{share:4.0%} {words}\n")


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m runtime.engines.docker.private DATA_DIRECTORY\n")
        return 2
    data = Path(arguments[0])
    found = None if prepared(data) and not os.environ.get("DOCKER_HOST") else find()
    if found is not None:
        print(json.dumps({"docker_host": found, "command": None, "environment": {}}))  # noqa: T201 - its output
        return 0
    if os.environ.get("DOCKER_HOST"):
        sys.stderr.write(f"DOCKER_HOST={os.environ['DOCKER_HOST']}: no engine answers there.\n")
        return 1
    reason = can_install()
    if reason is not None:
        sys.stderr.write(f"{reason}\n")
        return 1
    try:
        install(_say)
        plan = asdict(command(data))
    except EngineUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    print(json.dumps({"docker_host": docker_host(data), "command": plan["argv"], "environment": plan["environment"]}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
