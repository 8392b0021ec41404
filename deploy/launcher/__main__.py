"""python -m deploy.launcher VERB [--port PORT] [--data DIRECTORY]"""

from __future__ import annotations

import argparse
import errno
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str]) -> int:
    """Runs one verb; returns its exit status."""
    from deploy.launcher import needs, preflight
    from deploy.launcher.errors import SetupError

    options = _parser().parse_args(arguments)
    try:
        if sys.version_info[:2] < needs.PYTHON:
            # Nothing else can be imported, so the engine is not looked at.
            preflight.packages_for([*needs.python_needs(), *needs.node_needs()], may_install=False)
        return _run(options)
    except SetupError as error:
        sys.stderr.write(f"\n{error}\n")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.stderr.write(f"\nThe disk is full ({error.filename or options.data}). Make room, then start again.\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="launcher")
    parser.add_argument("verb", choices=["run", "test", "check", "bench"])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data", default="var")
    return parser


def _run(options: argparse.Namespace) -> int:
    from deploy.launcher.places import Places

    data = Path(options.data).expanduser()
    places = Places(ROOT, Path.cwd() / data, options.port)
    if options.verb == "run":
        from deploy.launcher.running import run

        return run(places)
    if options.verb == "check":
        from deploy.launcher.checking import check

        return check(places)
    if options.verb in {"test", "bench"}:
        from deploy.launcher import testing

        return testing.test(places) if options.verb == "test" else testing.bench(places)
    raise AssertionError(options.verb)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
