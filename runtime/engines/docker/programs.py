"""Programs of this host's administration."""

import os
import shutil

ADMINISTRATION = "/usr/sbin:/sbin"


def program(name: str) -> str | None:
    """Its path, also where only root looks; None when it is not installed."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":" + ADMINISTRATION)
