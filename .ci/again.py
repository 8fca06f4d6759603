"""Runs once more, alone, what failed. What then passes is FLAKY: listed in the last lines, to be mended.

`python .ci/again.py`, after runs of pytest of which some failed. One unlucky test does not cost a whole run; more than
three in one run are no bad luck any more, and fail it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

AT_MOST = 3
"""Flaky tests that a run may have."""
_RECORD = Path(".pytest_cache", "v", "cache", "lastfailed")
"""What pytest keeps of the tests that failed, those of earlier runs included until they pass."""


def main() -> int:
    """Run them.

    Returns:
        The exit status: 0 where all pass now and few enough were flaky.
    """
    failed = sorted(json.loads(_RECORD.read_text(encoding="utf-8"))) if _RECORD.exists() else []
    if not failed:
        print("Something failed, and it was no test: see above.")
        return 1
    print(f"Running again, alone, what failed: {len(failed)}", flush=True)
    # What the first run has covered stays; whether it is enough is only seen now that what failed is in it.
    again = ["-n0", "--last-failed", "--last-failed-no-failures=none", "--cov", "--cov-append", "--cov-report="]
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
