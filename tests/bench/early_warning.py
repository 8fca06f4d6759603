"""What the early warning of an account costs a night: the fold of all its nights, which remembers nothing."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from healthscore.core.decisions.inputs import Inputs
from healthscore.core.decisions.life import life
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.detectors.settings import DetectorSettings
from healthscore.core.model import MICROS
from healthscore.core.signals.history import DayUse, fold
from tests.bench.measuring import Section, Table, cpu_ms, side_by_side
from tests.unit.core.decisions import naive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAYS = 460
"""What is looked back at, and how long logs are kept."""
FIRST = 738_004
"""A Monday, by its number."""
KINDS: Mapping[str, tuple[int, int]] = {
    "five days a week": (95, 95),
    "now and then": (12, 12),
    "five days a week, then hardly any": (95, 3),
}
"""The chance of use on a working day, in percent, in the first half and in the second one."""
AT_ONCE = 20
_ABOUT = """A night's early warning remembers nothing but an account's days, weeks and people, so it takes in all nights
of the account again: {days} days here, of five people, with value, features and two integrations. Most nights cannot
change anything, and the detectors say which can. *Every night* asks all of them on each; *plainly* is the recomputation
that tests compare with ([`naive.py`](../tests/unit/core/decisions/naive.py)), which reads the rules night by night."""


def uses(before: int, after: int, days: int = DAYS) -> list[DayUse]:
    """The days of an account, the same ones each time."""
    random = Random(before * 1000 + after)
    found = []
    for day in range(days):
        often = before if day < days // 2 else after
        if day and (day % 7 > 4 or random.randrange(100) >= often):
            continue
        people = frozenset(f"user-{number}" for number in range(5) if random.random() < 0.6)
        found.append(
            DayUse(
                FIRST + day,
                people=people or frozenset({"user-0"}),
                value=random.randrange(1, 6) * MICROS,
                integrations={name: random.randrange(1, 9) * MICROS for name in ("issues", "chat")},
                features=frozenset(f"feature-{random.randrange(8)}" for _ in range(3)),
            )
        )
    return found


def measure(*, days: int = DAYS, rounds: int = 9) -> Section:
    """Fold accounts of each kind."""
    rows, figures = [], {}
    asked = [replace(detector, spans=None) for detector in DETECTORS]
    for kind, chances in KINDS.items():
        of = uses(*chances, days)
        inputs, until = Inputs(fold(of)), FIRST + days - 1
        works = {
            "hints": lambda inputs=inputs, until=until: _repeated(inputs, until, DETECTORS),
            "every night": lambda inputs=inputs, until=until: _repeated(inputs, until, asked),
        }
        taken = {name: ms / AT_ONCE for name, ms in side_by_side(works, rounds).items()}
        plainly = cpu_ms(lambda of=of, until=until: naive.changes(naive.Account(of), until))
        figures[f"early warning, {kind}"] = taken["hints"]
        rows.append(
            (
                kind,
                f"{taken['hints']:.2f} ms",
                f"{taken['hints'] / taken['every night']:.2f}",
                f"{taken['hints'] / plainly:.4f}",
            )
        )
    table = Table(("an account that comes", "CPU", "of every night", "of plainly"), rows)
    return Section("Early warning", [_ABOUT.format(days=days), table], figures)


def _repeated(inputs: Inputs, until: int, detectors: Sequence[object]) -> None:
    for _ in range(AT_ONCE):
        life(inputs, DetectorSettings(), until, detectors)
