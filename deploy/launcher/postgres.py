"""A PostgreSQL server for the tests, from Debian's package, in a directory that goes when they end."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from deploy.launcher.commands import end_group, last_lines
from deploy.launcher.errors import SetupError
from deploy.launcher.needs import program
from runtime.parent import end_with_parent

START_SECONDS = 60.0
OPTIONS = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"),
    # /dev/shm is small in containers, and shared with other servers of the same user.
    "dynamic_shared_memory_type=mmap",
)


@contextmanager
def postgres(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """Its DATABASE_URL, while the body runs. It listens on a Unix socket alone. Raises SetupError."""
    place = Path(tempfile.mkdtemp(prefix="pg-sql-"))
    # It refuses to run as root; the package brings a user for it.
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    if account:
        os.chown(place, account.pw_uid, account.pw_gid)
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    try:
        with log.open("ab") as output:
            common = {"cwd": place, "env": dict(environment), "stdout": output, "stderr": output, **user}
            make = [server_program("initdb"), "--pgdata", "data", "--username", "postgres", "--auth", "trust"]
            if subprocess.run([*make, "--no-sync"], check=False, **common).returncode:  # type: ignore[call-overload]  # shared keywords
                raise SetupError(f"PostgreSQL can't make a database. The end of {log}:\n{last_lines(log, 10)}")
            options = [word for option in OPTIONS for word in ("-c", option)]
            command = [server_program("postgres"), "-D", "data", "-k", str(place), "-h", "", *options]
            process = subprocess.Popen(command, preexec_fn=end_with_parent, start_new_session=True, **common)  # type: ignore[call-overload]
        try:
            _wait(process, place / ".s.PGSQL.5432", log)
            yield f"postgres://postgres@{quote(str(place), safe='')}:5432/postgres"
        finally:
            end_group(process, 10)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def server_program(name: str) -> str:
    """Debian keeps the server's programs apart, one folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else str(program(name) or name)


def _wait(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise SetupError(f"PostgreSQL does not start. The end of {log}:\n{last_lines(log, 10)}")
        time.sleep(0.05)
