"""Run lives under faults: `python -m tests.faults --seeds 20 --deliveries 2000`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.faults import story

HEADLINE = (
    f"{'seed':>5} {'batches':>8} {'again':>6} {'erased':>6} {'events':>7} {'calls':>7} {'faults':>7} {'sent':>5}  end"
)


def main() -> int:
    """Print the figures of each seed; answer how many seeds ended wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many lives")
    parser.add_argument("--first", type=int, default=0, help="the first seed: to live one life again")
    parser.add_argument("--deliveries", type=int, default=2000, help="batches sent in each")
    options = parser.parse_args()
    bad, total = 0, Counter[str]()
    print(HEADLINE)  # noqa: T201
    for seed in range(options.first, options.first + options.seeds):
        one = story.live(seed, options.deliveries)
        total.update(one.faults)
        bad += bool(one.wrong)
        end = "; ".join(one.wrong) or "exact"
        counts = f"{one.deliveries:8} {one.repeated:6} {one.erasures:6} {one.events:7} {one.calls:7}"
        print(f"{seed:5} {counts} {one.faults.total():7} {one.published:5}  {end}", flush=True)  # noqa: T201
    for fault, count in total.most_common():
        print(f"{count:7}  {fault}")  # noqa: T201
    return bad


if __name__ == "__main__":
    sys.exit(main())
