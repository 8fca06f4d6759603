"""Run every benchmark, print the tables, and write docs/benchmarks.md and docs/costs.md: `python -m tests.bench`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from functools import partial

from tests.bench import book, costs, early_warning, engine, imports, night, people, starts, views, writes
from tests.support import dynamodb_local

_ABOUT = """# Benchmarks

Written by `make bench` on {day}, with Python {python} on {machine}, {cores} cores that other programs use as well.
The ratios are reliable, since both sides are measured in the same minutes; the milliseconds are orders of magnitude.
Times are CPU time of the measured process, and medians unless the text says otherwise. The engine is DynamoDB Local, a
process of its own, whose CPU is not counted. [Costs](costs.md) has the prices of the units."""


def main() -> None:
    """Run all benchmarks, which takes some minutes, and write both pages."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--instructions", action="store_true", help="count those of cold starts, by valgrind")
    options = parser.parse_args()
    if missing := dynamodb_local.missing_tools():
        sys.exit(f"The benchmarks need DynamoDB Local, which needs {' and '.join(missing)}.")
    about = _ABOUT.format(
        day=datetime.now(UTC).date(),
        python=platform.python_version(),
        machine=platform.machine(),
        cores=os.cpu_count(),
    )
    with dynamodb_local.running() as endpoint:
        os.environ.update(engine.environment(endpoint))
        sections = []
        counting = partial(starts.measure, instructions=options.instructions)
        for measure in (
            writes.measure,
            people.measure,
            imports.measure,
            views.measure,
            night.measure,
            night.with_risk,
            early_warning.measure,
            book.measure,
            counting,
        ):
            engine.fresh_tables()
            sections.append(measure())
            print(sections[-1], end="\n\n", flush=True)  # noqa: T201
    figures = {name: value for section in sections for name, value in section.figures.items()}
    docs = engine.ROOT / "docs"
    (docs / "benchmarks.md").write_text("\n\n".join([about, *map(str, sections)]) + "\n")
    (docs / "costs.md").write_text(costs.report(figures))


if __name__ == "__main__":
    main()
