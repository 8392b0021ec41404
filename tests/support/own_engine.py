"""A Docker engine that belongs to one test: it may be restarted, and what it leaves on the host can be told apart."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiodocker
import pytest

from runtime.engines.docker import private
from runtime.engines.docker.host_bridges import remove_bridge
from tests.support.kernel import cgroups_like

START_SECONDS = 60.0
STOP_SECONDS = 40.0
END_SECONDS = 60.0
"""For the kernel to end what was killed, and to empty its cgroup."""


class OwnEngine:
    """A private engine. Its machines outlive its restarts, and their cgroups are all below `cgroup`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.cgroup = directory.name
        self.host = private.docker_host(directory)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of what a supervisor would run. It has to run."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it has said, over all its starts."""
        return (self.directory / "engine.log").read_text(errors="replace")

    @property
    def data_root(self) -> Path:
        """Where it keeps everything."""
        return private.home(self.directory) / "data"

    def start(self) -> None:
        """Returns when it answers."""
        self.begin()
        self.wait()

    def wait(self) -> None:
        """Until it answers. Nobody starts it again when it ends instead."""
        until = time.monotonic() + START_SECONDS
        while not private.answers(self.host):
            assert self._process is not None
            assert self._process.poll() is None, f"the engine has ended: {self.log[-2000:]}"
            assert time.monotonic() < until, f"the engine does not answer: {self.log[-2000:]}"
            time.sleep(0.05)

    def revive(self) -> None:
        """Until it answers; started again whenever it ends instead, as a supervisor does: kill -9 may take it two."""
        until = time.monotonic() + 2 * START_SECONDS
        while not private.answers(self.host):
            assert time.monotonic() < until, f"the engine does not answer: {self.log[-2000:]}"
            if self._process is None or self._process.poll() is not None:
                self.begin()
            time.sleep(0.05)

    def begin(self) -> None:
        """Starts it, as a supervisor would, and waits for nothing."""
        command = private.command(self.directory)
        with (self.directory / "engine.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command.argv, "--cgroup-parent", f"/{self.cgroup}"],
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to end, or kills it; machines go on. Its status; 0 when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """kill -9 of dockerd itself: what a supervisor runs ends with it."""
        for process in self.processes():
            # What it runs for a moment may have ended by now.
            with contextlib.suppress(OSError):
                name, _, _ = Path(f"/proc/{process}/cmdline").read_bytes().partition(b"\0")
                if name.endswith(b"/dockerd"):
                    os.kill(process, signal.SIGKILL)
        assert self._process is not None
        assert self._process.wait(STOP_SECONDS) == 128 + signal.SIGKILL
        self._process = None

    def processes(self) -> list[int]:
        """Of this engine: what names its directory in its arguments, and what runs in its machines."""
        found = {pid for path in self._cgroups() for pid in _numbers(path / "cgroup.procs")}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and str(self.directory).encode() in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
        return sorted(found)

    def end_processes(self) -> None:
        """kill -9 of machines, and of shims whose machine went during a restart: nobody else ends those."""
        until = time.monotonic() + END_SECONDS
        while found := self.processes():
            self._thaw()
            for process in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            assert time.monotonic() < until, f"they do not end: {found}"
            time.sleep(0.02)

    def _thaw(self) -> None:
        """What is frozen does not even end by SIGKILL, in cgroup v1."""
        for path in self._cgroups():
            for name, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                with contextlib.suppress(OSError):
                    if (path / name).exists():
                        (path / name).write_text(value)

    def cgroups(self) -> list[str]:
        """Names of machines' cgroups, of either version, in which anything lives."""
        return sorted({path.name for path in self._cgroups() if _numbers(path / "cgroup.procs")})

    def _cgroups(self) -> list[Path]:
        return cgroups_like(f"**/{self.cgroup}/*/")

    def all_cgroups(self) -> set[str]:
        """Names of machines' cgroups, of either version, also of those in which nothing lives."""
        return {path.name for path in self._cgroups()}

    def remove_cgroups(self) -> None:
        """Empty ones too: an engine that ends while it starts a machine leaves that machine's behind."""
        for path in [*self._cgroups(), *cgroups_like(f"**/{self.cgroup}/")]:
            _repeat(path.rmdir)

    def mounts(self) -> list[str]:
        """Mounts of machines below its directory, also those that were left behind."""
        return [place for place in self.all_mounts() if "/overlay2/" in place or "/containers/" in place]

    def standing_mounts(self) -> set[str]:
        """What is mounted as long as the engine runs, whether there are machines or not."""
        data = private.home(self.directory) / "data"
        remapped = [path for path in data.glob("*.*") if path.is_dir()]
        return {str(place) for root in (data, *remapped) for place in (root, root / "overlay2")}

    def all_mounts(self) -> list[str]:
        """Everything mounted below its directory, its own data as well; the inner ones first."""
        places = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        return sorted((place for place in places if place.startswith(f"{self.directory}/")), reverse=True)


def _numbers(path: Path) -> list[int]:
    """Empty for a cgroup that has gone meanwhile."""
    try:
        return [int(word) for word in path.read_text().split()]
    except OSError:
        return []


def _repeat(remove: Callable[[], None]) -> None:
    """A cgroup is busy for a moment after its last process has ended. Absent is success."""
    until = time.monotonic() + END_SECONDS
    while True:
        try:
            return remove()
        except FileNotFoundError:
            return None
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


@contextmanager
def own_engine() -> Iterator[OwnEngine]:
    """Runs while the block does; nothing of it is left afterwards. Where none can run: fails in CI, skips elsewhere."""
    with stopped_engine() as engine:
        engine.start()
        yield engine


@contextmanager
def stopped_engine() -> Iterator[OwnEngine]:
    """The same, but it is for the block to start it."""
    reason = private.can_install() or ", ".join(f"{package} is missing" for package in private.missing_packages())
    if reason:
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    directory = Path(tempfile.mkdtemp(prefix="pg-engine-"))
    directory.chmod(0o711)
    engine = OwnEngine(directory)
    try:
        yield engine
    finally:
        engine.stop()
        engine.end_processes()
        remove_bridge(private.bridge_name(directory))
        engine.remove_cgroups()
        # An engine that keeps machines alive also keeps its data mounted on itself when it ends.
        for place in engine.all_mounts():
            subprocess.run(["umount", place], check=True)
        shutil.rmtree(directory)


async def copy_image(reference: str, source: str, target: str) -> bool:
    """From one engine to another. False: the first does not have it."""
    async with aiodocker.Docker(source) as giver, aiodocker.Docker(target) as taker:
        try:
            await giver.images.inspect(reference)
        except aiodocker.DockerError:
            return False
        async with giver.images.export_image(reference) as stream:
            data = io.BytesIO(await stream.read())
        async for _ in taker.images.import_image(data, stream=True):
            pass
        return True
