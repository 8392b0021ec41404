"""What is left on the host's network: the filter of our machines' networks."""

import subprocess

from deploy.launcher.needs import program


def remove_filter(table: str) -> None:
    """Removes a table of the packet filter, e.g. `inet playground_1`, with all that it closed. Absent is success."""
    path = program("nft")
    if path:
        subprocess.run([path, "delete", "table", *table.split()], capture_output=True, check=False)
