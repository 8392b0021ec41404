"""Files from Debian's packages, by the host's own package tools. Nothing of the host gets into what is made."""

import asyncio
import os
import shutil
import tarfile
from pathlib import Path

from runtime.engines.base import ProgressCallback
from runtime.errors import ImageUnavailable
from runtime.images.recipes import SUITE

EPOCH = "1700000000"
"""The time of every file that packages do not bring: the same image twice is the same layer twice."""
ADMINISTRATION = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/lintian/*")
PLAIN_PING = (
    'if [ -e "$1/usr/bin/ping" ]; then '
    'cp "$1/usr/bin/ping" "$1/usr/bin/ping.plain" && mv "$1/usr/bin/ping.plain" "$1/usr/bin/ping"; fi'
)
"""Debian's ping carries the file capability NET_RAW, which no machine has: the kernel would refuse to run it. A copy
carries none, and uses the kernel's own ICMP sockets."""
STEPS = {
    "running apt-get update": (0.05, "Reading the package lists"),
    "downloading packages": (0.15, "Fetching packages"),
    "extracting archives": (0.3, "Unpacking the system"),
    "installing essential": (0.4, "Installing the system"),
    "installing remaining": (0.55, "Installing packages"),
    "cleaning package lists": (0.75, "Cleaning up"),
    "creating tarball": (0.8, "Packing"),
}


ALONE = ("unshare", "--mount-proc", "--pid", "--fork", "--kill-child")
"""What it mounts is seen by it alone, and it ends with all its processes: then, however it ends, no mount is left."""


async def debian_system(packages: list[str], target: Path, progress: ProgressCallback) -> None:
    """Writes a Debian root file system with these packages as a tar archive. Raises ImageUnavailable.

    It comes from Debian's own mirrors, which mmdebstrap knows, and its sources.list names them: a mirror of the host
    would be a trace of it.
    """
    if shutil.which("mmdebstrap", path=ADMINISTRATION) is None:
        raise ImageUnavailable("mmdebstrap is not installed, and without a registry images are made with it.")
    command = [
        *ALONE,
        *("mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}"),
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-include=/usr/share/locale/locale.alias",
        # They would hold this host's name and its name servers.
        '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
        f"--customize-hook={PLAIN_PING}",
        *(SUITE, str(target)),
    ]
    await _run(command, target.parent, progress)


async def static_program(package: str, target: Path, progress: ProgressCallback) -> None:
    """Writes the tar archive of an image that holds busybox and its names alone. Raises ImageUnavailable."""
    program = target.parent / "busybox"
    installed = shutil.which("busybox", path=ADMINISTRATION)
    if installed is not None and _is_static(Path(installed)):
        await asyncio.to_thread(shutil.copyfile, installed, program)
    else:
        progress(0.1, f"Fetching {package}")
        await _fetch(package, target.parent)
        shutil.copyfile(target.parent / "package/bin/busybox", program)
    program.chmod(0o755)
    names = (await _output(str(program), "--list-full")).split()
    progress(0.6, "Packing")
    await asyncio.to_thread(_pack, program, names, target)


def _is_static(program: Path) -> bool:
    """A dynamic one needs a C library that the image does not have."""
    data = program.read_bytes()
    return b"/ld-linux" not in data and b"/ld-musl" not in data


async def _fetch(package: str, place: Path) -> None:
    if shutil.which("apt-get", path=ADMINISTRATION) is None or shutil.which("dpkg-deb", path=ADMINISTRATION) is None:
        raise ImageUnavailable(
            f"Without a registry this image is made from Debian's {package}, and apt-get is not here."
        )
    await _output("apt-get", "-q", "download", package, directory=place)
    await _output("dpkg-deb", "-x", *(str(archive) for archive in _archives(place)), str(place / "package"))


def _archives(place: Path) -> list[Path]:
    return list(place.glob("*.deb"))


DIRECTORIES = {"bin": 0o755, "dev": 0o755, "etc": 0o755, "home": 0o755, "proc": 0o755, "root": 0o700, "sbin": 0o755}
DIRECTORIES |= {"sys": 0o755, "tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755, "usr/sbin": 0o755, "var": 0o755}
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
}


def _pack(program: Path, names: list[str], target: Path) -> None:
    with tarfile.open(target, "w") as archive:
        for name, mode in DIRECTORIES.items():
            archive.addfile(_entry(name, tarfile.DIRTYPE, mode))
        for name, text in ACCOUNTS.items():
            text_file = target.parent / "account"
            text_file.write_text(text)
            _add(archive, name, text_file, 0o644)
        _add(archive, "bin/busybox", program, 0o755)
        for name in sorted(set(names) - {"bin/busybox"}):
            link = _entry(name, tarfile.SYMTYPE, 0o777)
            link.linkname = "/bin/busybox"
            archive.addfile(link)


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, int(EPOCH)
    return entry


def _add(archive: tarfile.TarFile, name: str, source: Path, mode: int) -> None:
    entry = _entry(name, tarfile.REGTYPE, mode)
    entry.size = source.stat().st_size
    with source.open("rb") as content:
        archive.addfile(entry, content)


async def _environment() -> dict[str, str]:
    environment = {"PATH": ADMINISTRATION, "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": EPOCH, "HOME": "/nonexistent"}
    environment |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return environment


async def _output(*command: str, directory: Path | None = None) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env=await _environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise ImageUnavailable(_tail(output.decode(errors="replace"), command[0]))
    return output.decode()


async def _run(command: list[str], scratch: Path, progress: ProgressCallback) -> None:
    """What it writes on the way is in `scratch`, which the caller removes."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**await _environment(), "TMPDIR": str(scratch)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    said = b""
    assert process.stderr is not None
    try:
        while line := await process.stderr.readline():
            said = (said + line)[-4000:]
            for step, (share, words) in STEPS.items():
                if step in line.decode(errors="replace"):
                    progress(share, words)
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise ImageUnavailable(_tail(said.decode(errors="replace"), "mmdebstrap"))


UNREACHABLE = ("failed to download", "Failed to fetch", "Unable to fetch", "Could not resolve", "Could not connect")


def _tail(output: str, program: str) -> str:
    if any(sign in output for sign in UNREACHABLE):
        return "Debian's packages can't be fetched: the mirror does not answer."
    lines = [line for line in output.splitlines() if line.startswith(("E:", "Err:", "W:", "E "))][-3:]
    return f"{program} failed: " + (" ".join(lines) or "it did not say why")
