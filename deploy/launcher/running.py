"""`make run`, from the first check to the last process."""

from contextlib import ExitStack

from deploy.launcher import folders, host, needs, packages, preflight
from deploy.launcher.engine import EnginePlan
from deploy.launcher.engine import plan as plan_engine
from deploy.launcher.errors import Interruption
from deploy.launcher.leftovers import end_leftovers
from deploy.launcher.lock import DataLock
from deploy.launcher.places import Places, make_near, remove_near
from deploy.launcher.progress import Progress
from deploy.launcher.signals import interruptible
from deploy.launcher.site import SITE_STEPS, Site
from deploy.launcher.steps import environment_steps, front_end_steps, run_steps, sandboxd_step
from deploy.launcher.surroundings import for_tools
from runtime.parent import end_with_parent


def run(places: Places) -> int:
    """Sets up, serves until Ctrl-C or SIGTERM, stops all it started. Raises SetupError."""
    end_with_parent()
    with interruptible(), ExitStack() as ends:
        try:
            _serve(places, ends)
        except Interruption:
            print("\nstopping …", flush=True)
            ends.close()
    return 0


def _serve(places: Places, ends: ExitStack) -> None:
    engine, debian = _examine(places, ends)
    folders.make(places)
    ends.callback(folders.clear, places)
    steps = [*environment_steps(places, "base.txt"), *front_end_steps(places), sandboxd_step(places)]
    progress = Progress(len(steps) + SITE_STEPS + bool(debian))
    if debian:
        with progress.step(f"Debian packages ({', '.join(debian)})"):
            packages.install(debian, places.root, places.logs / "set-up-packages.log", progress.tick)
    run_steps(steps, places, for_tools(places), progress)
    make_near(places)
    ends.callback(remove_near, places)
    site = Site(places, engine)
    ends.callback(site.stop)
    site.start(progress)
    site.announce(progress)
    site.watch(progress)


def _examine(places: Places, ends: ExitStack) -> tuple[EnginePlan, list[str]]:
    """The engine to use and the Debian packages to install. Raises SetupError when anything else is missing.

    The data directory is ours afterwards, and nothing of an earlier run with it is left.
    """
    may_install = packages.can_install()
    data = host.data_needs(places.data)
    found = [*needs.python_needs(), *needs.node_needs(), *data]
    if not data:
        lock = DataLock(places.data / "lock")
        lock.take()
        ends.callback(end_leftovers, places.data)
        ends.callback(lock.stopping)
        if end_leftovers(places.data):
            print("Ended what an earlier run had left behind.", flush=True)
        found += host.room_needs(places, first=not places.python.exists())
    engine = plan_engine(places.data)
    found += [*host.port_needs(places.port), *engine.needs]
    if may_install:
        found += [*needs.recipe_needs(), *needs.network_needs()]
    return engine, preflight.packages_for(found, may_install=may_install)
