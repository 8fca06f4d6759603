"""An older version beside this one, in one run: each in a process of its own, in turn."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from statistics import mean, median
from typing import TYPE_CHECKING

from tests.bench.engine import ROOT
from tests.support.gateway import NOW
from tools.local import aws, template
from tools.local.environment import variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

COMMIT = "ae3dc22"
"""The last version with three calls an account and five indexes of the book, of 22 November 2026."""
WITHOUT_RISK = "62a8f81"
"""The last version whose nights judge no risk, of 30 November 2026."""
NOT_AT_HAND = "The comparison with an older version needs the repository's history, which this copy does not have."
_NEEDED = ("shared/healthscore", "template.yaml")
_START = "import healthscore, runpy, sys; runpy.run_module(sys.argv.pop(1), run_name='__main__')"
"""The library first, as of `PYTHONPATH`: once it is imported, the tests' own path to it does not matter."""


class Version:
    """A process that measures one version of the library, with tables of its own."""

    def __init__(self, name: str, tree: Path, program: Sequence[str], running: ExitStack) -> None:
        """Start it.

        Args:
            name: of its tables.
            tree: the version's files.
            program: the module that measures, and its arguments.
            running: ends the process.
        """
        stack = template.read(tree / "template.yaml", stack=f"bench-{name}")
        aws.create_tables(stack.tables, expiring=False)
        path = os.pathsep.join([str(tree / "shared"), str(ROOT)])
        environment = {**os.environ, **variables(stack), "PYTHONPATH": path}
        self._process = running.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", _START, *program],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        running.callback(self._process.terminate)
        self.figures: dict[str, list[float]] = defaultdict(list)

    def answer(self, command: str) -> dict[str, float]:
        """The figures that it answers a command with."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer

    def night(self, command: str, *, keep: bool) -> None:
        """Run a night, and keep its figures if so wanted."""
        for name, value in self.answer(command).items() if keep else ():
            self.figures[name].append(value)

    def median(self, name: str) -> float:
        """The median of a figure's nights."""
        return median(self.figures[name])

    def mean(self, name: str) -> float:
        """The mean of a figure's nights."""
        return mean(self.figures[name])


def checkout(commit: str = COMMIT) -> Path | None:
    """An older version's files; None where git does not have them, as in a copy without history."""
    tree = ROOT / ".cache" / f"bench-{commit}"
    if not tree.exists():
        archived = subprocess.run(["git", "archive", commit, *_NEEDED], cwd=ROOT, capture_output=True, check=False)
        if archived.returncode:
            return None
        with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as files:
            files.extractall(tree, filter="data")
    return tree


def nights(
    *,
    customers: int,
    before: int,
    timed: int,
    metered: int,
    commit: str = COMMIT,
    history: int = 5,
    daily: bool = False,
) -> tuple[Version, Version] | None:
    """Run nights by the older version and by this one, and measure the last of them.

    Args:
        customers: how many accounts.
        before: nights that are not measured: accounts keep thirty.
        timed: nights of which the CPU time is measured.
        metered: nights of which units and calls are counted.
        commit: the older version.
        history: days with events before the first night.
        daily: whether all accounts are active every day.

    Returns:
        The older version and this one, with their figures; None where the older one is not at hand.
    """
    tree = checkout(commit)
    if tree is None:
        return None
    count = before + timed + metered
    first = datetime.combine(NOW.date() - timedelta(days=count + history), time(2), UTC)
    with ExitStack() as running:
        program = ["tests.bench.lived_nights", str(customers), first.date().isoformat(), "daily" if daily else "mixed"]
        versions = [
            Version(f"{name}-{commit}", at, program, running) for name, at in (("older", tree), ("newer", ROOT))
        ]
        for number, command in enumerate(_commands(first + timedelta(days=history), before + timed, metered)):
            for version in versions:
                version.night(command, keep=number >= before)
    older, newer = versions
    return older, newer


def _commands(first: datetime, plain: int, metered: int) -> Iterator[str]:
    for number in range(plain + metered):
        instant = (first + timedelta(days=number)).isoformat()
        yield instant if number < plain else f"meter {instant}"


def rows(versions: Sequence[Version]) -> list[list[str]]:
    """The figures side by side, and their ratio."""
    older, newer = versions
    shown = [
        ("calls", "calls", 2),
        ("CPU ms", "cpu", 2),
        ("read units", "reads", 2),
        ("write units, without indexes", "", 2),
        ("write units of indexes", "index writes", 2),
        ("bytes of the account's item", "item bytes", 0),
    ]
    found = []
    for title, name, digits in shown:
        was, now = (
            version.median(name) if name else version.median("writes") - version.median("index writes")
            for version in (older, newer)
        )
        found.append([title, f"{was:,.{digits}f}", f"{now:,.{digits}f}", f"{now / was:.2f}" if was else ""])
    return found
