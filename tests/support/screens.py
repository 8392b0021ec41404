"""What a terminal shows after some output: xterm.js without a page, the reference for pages and what restores them."""

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

COLS, ROWS = 80, 24
_SCRIPT = Path(__file__).with_name("screens.mjs")

Screen = dict[str, Any]
"""`text` (a string for each row), `lines` (characters with looks), `cursor`, `modes`, `title`, `typed` and others."""


def screens_of(feeds: Sequence[bytes], cols: int = COLS, rows: int = ROWS) -> list[Screen]:
    """The screen of a new terminal after each of these, all by one process of Node."""
    asked = {"cols": cols, "rows": rows, "feeds": [base64.b64encode(feed).decode() for feed in feeds]}
    done = subprocess.run(
        ["node", str(_SCRIPT)], input=json.dumps(asked), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))
