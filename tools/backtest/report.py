"""Measures the rules over the accounts of a file, and prints the tables."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from healthscore.core.detectors import halved
from healthscore.core.detectors.finding import Level
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.detectors.settings import DetectorSettings, Sensitivity
from tools.backtest import rules
from tools.backtest.measures import Measures, Pattern, measure, patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from healthscore.core.decisions.life import Life
    from healthscore.core.detectors.finding import Detector
    from healthscore.core.signals.excused import Excused
    from tools.backtest.accounts import Account
    from tools.backtest.outcomes import Outcome

ACCOUNT_HEAD = (
    f"{'':<38}{'false':>6}{'contr.':>7}{'last':>6}{'+14':>5}{'+30':>5}{'+45':>5}{'useful':>8}{'nights on':>11}"
)
PATTERN_HEAD = f"{'':<38}{'findings':>9}{'leave':>7}{'shrink':>8}{'neither':>9}"
BREAK_HEAD = f"{'':<38}{'false (steady)':>16}{'28 d':>6}{'42 d':>6}{'steady 28 d':>13}{'42 d':>6}"


class Table:
    """The lines of the tables, measured one by one."""

    def __init__(self, accounts: Sequence[Account], outcomes: Sequence[Outcome], excused: Excused) -> None:
        self._accounts = accounts
        self._outcomes = outcomes
        self._excused = excused

    def lines(self) -> Iterator[tuple[str, Measures]]:
        """Each rule by its name, with its figures."""
        early = [rules.levels(account, life) for account, life in zip(self._accounts, self._lives(), strict=True)]
        yield "yellow or red", self._measured(early)
        yield "red alone", self._measured(early, Level.RED)
        for sensitivity in (Sensitivity.CALM, Sensitivity.LITERAL):
            nights = self._layer(DetectorSettings(sensitivity=sensitivity))
            yield f"yellow or red, {sensitivity}", self._measured(nights)
        halved_on = DetectorSettings(on=frozenset({halved.NAME}))
        yield "yellow or red, with halved", self._measured(self._layer(halved_on))
        for days in (7, 14, 30, 33):
            yield f"not seen {days} d", self._each(partial(rules.not_seen, days=days))
        silent = rules.ended_by_recovery("not_seen", rules.is_unseen)
        yield "not seen 30 d, ended by recovery", self._measured(self._layer(DetectorSettings(), silent))
        scores = [rules.scores(account) for account in self._accounts]
        yield "standard score < 40", self._measured([rules.low_score(each) for each in scores])
        yield "standard score declining", self._measured([rules.declining_score(each) for each in scores])
        yield "30 d at most half of the 30 before", self._each(partial(rules.shrunk, recent=30, before=30, fewest=2))
        yield "21 d at most half of the 84 before", self._each(partial(rules.shrunk, recent=21, before=84, fewest=12))
        shrunk = rules.ended_by_recovery("shrunk", rules.has_shrunk)
        yield "… ended by recovery", self._measured(self._layer(DetectorSettings(), shrunk))

    def patterns(self) -> list[Pattern]:
        """How often each detector's findings are right."""
        return patterns(
            (
                outcome,
                [
                    (finding.sighting.detector, finding.raised - account.zero)
                    for finding in life.findings
                    if finding.raised
                ],
            )
            for account, outcome, life in zip(self._accounts, self._outcomes, self._lives(), strict=True)
        )

    @cache  # noqa: B019  (one table a run)
    def _lives(self) -> list[Life]:
        return [rules.judge(account, self._excused, DetectorSettings()) for account in self._accounts]

    def _layer(self, settings: DetectorSettings, detectors: Sequence[Detector] = DETECTORS) -> list[bytes]:
        return [
            rules.levels(account, rules.judge(account, self._excused, settings, detectors))
            for account in self._accounts
        ]

    def _each(self, rule: Callable[[Account], bytes]) -> Measures:
        return self._measured([rule(account) for account in self._accounts])

    def _measured(self, nights: Sequence[bytes], least: Level = Level.YELLOW) -> Measures:
        on = bytes(int(level >= least) for level in range(256))
        return measure((outcome, levels.translate(on)) for outcome, levels in zip(self._outcomes, nights, strict=True))


def account_line(name: str, of: Measures) -> str:
    """A line of the table of departures."""
    flagged = "".join(f"{share:>{width}.0f}" for share, width in zip(of.flagged, (6, 5, 5, 5), strict=True))
    return f"{name:<38}{of.false:>6.2f}{of.contraction:>7.2f}{flagged}{of.useful:>8.0f}{of.on:>11.0f}"


def break_line(name: str, of: Measures) -> str:
    """A line of the table of lasting contractions."""
    false = f"{of.false:.2f} ({of.false_steady:.2f})"
    seen = f"{of.seen[0]:>6.0f}{of.seen[1]:>6.0f}"
    return f"{name:<38}{false:>16}{seen}{of.seen_steady[0]:>13.0f}{of.seen_steady[1]:>6.0f}"


def pattern_line(of: Pattern) -> str:
    """A line of the table of patterns."""
    return f"{of.detector:<38}{of.findings:>9}{of.left:>7.0f}{of.contraction:>8.0f}{of.neither:>9.0f}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """What the file holds."""
    judged = [outcome for outcome in outcomes if outcome.judged is not None]
    left = sum(outcome.left for outcome in judged)
    breaks = [found for outcome in judged for found in outcome.breaks]
    years = sum(outcome.years for outcome in judged)
    return (
        f"{len(outcomes)} accounts, {len(judged)} judged over {years:.0f} years, {left} left; "
        f"{len(breaks)} lasting contractions, {sum(found.steady for found in breaks)} in steady use."
    )
