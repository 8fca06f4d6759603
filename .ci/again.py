"""Repeats failed tests alone. A test that then passes is flaky; the last lines list it, so that somebody repairs it.

Run `python .ci/again.py` after failed runs of pytest. Up to three flaky tests do not fail the run; more of them do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

AT_MOST = 3
"""How many flaky tests a run may have."""
_RECORD = Path(".pytest_cache", "v", "cache", "lastfailed")
"""Pytest's record of the tests that failed, in this run and in earlier ones until they pass."""


def main() -> int:
    """Repeat the failed tests.

    Returns:
        The exit status: 0 where all pass now and few enough were flaky.
    """
    failed = sorted(json.loads(_RECORD.read_text(encoding="utf-8"))) if _RECORD.exists() else []
    if not failed:
        print("Something failed, and it was no test: see above.")
        return 1
    print(f"Running again, alone, what failed: {len(failed)}", flush=True)
    again = ["-n0", "--last-failed", "--last-failed-no-failures=none"]
    ended = subprocess.run([sys.executable, "-m", "pytest", *again, *sys.argv[1:]], check=False)  # noqa: S603
    if ended.returncode != 0:
        return ended.returncode
    for test in failed:
        print(f"FLAKY {test}")
    if len(failed) > AT_MOST:
        print(f"{len(failed)} flaky tests are more than {AT_MOST}: mend them.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
