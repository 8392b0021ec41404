"""A short run of the fuzzers, under ASan and UBSan; the long one is `make -C runtime/sandboxd fuzz-long`."""

import re
import subprocess

from tests.support.sandboxd import SOURCES


def test_fuzz_short() -> None:
    done = subprocess.run(
        ["make", "-C", str(SOURCES), "fuzz-short"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    runs = re.findall(r"(\d+) inputs, (\d+) kept, (\d+) places", done.stdout)
    assert len(runs) == 3
    for inputs, _, places in runs:
        assert int(inputs) >= 256, "so many between two looks at the clock"
        assert int(places) > 20, "the code under test was not reached"
