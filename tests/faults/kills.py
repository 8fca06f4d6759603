"""Worker processes killed at a call that a seed decides (SIGKILL), and started again with what was not acknowledged."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.faults.batches import phases_of

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
WORKERS = 2


@dataclass
class Killings:
    """What became of the workers."""

    kills: int = 0
    calls: int = 0
    published: list[str] = field(default_factory=list)


def deliver(seed: int, deliveries: int, kills: int) -> Killings:
    """Have the batches of the first phase delivered side by side by workers that are killed `kills` times each."""
    batches = phases_of(seed, deliveries)[0]
    parts = [[str(number) for number in range(len(batches))][part::WORKERS] for part in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = [pool.submit(_until_done, seed, deliveries, part, kills, Random(f"{seed}/{part[0]}")) for part in parts]
        ends = [job.result() for job in jobs]
    return Killings(sum(end.kills for end in ends), sum(end.calls for end in ends))


def run(piece: str, seed: int, deliveries: int, kills: int) -> Killings:
    """Have a piece of other work, see `worker`, done by a worker that is killed `kills` times."""
    return _until_done(seed, deliveries, [piece], kills, Random(f"{seed}/{piece}"))


def _until_done(seed: int, deliveries: int, pieces: Sequence[str], kills: int, random: Random) -> Killings:
    left, end = list(pieces), Killings()
    while left:
        fatal = random.randint(2, 15) if end.kills < kills else None
        with subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker", str(seed), str(deliveries), *left],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'shared'}{os.pathsep}{ROOT}"},
        ) as worker:
            assert worker.stdout is not None
            calls = 0
            for line in worker.stdout:
                word, _, rest = line.strip().partition(" ")
                if word == "done":
                    left.remove(rest)
                elif word == "published":
                    end.published.append(rest)
                else:
                    calls += 1
                    if calls == fatal:
                        worker.kill()
            died = worker.wait() != 0
        end.calls += calls
        end.kills += died
        if died and fatal is None:
            raise AssertionError("a worker ended by itself")
    return end
