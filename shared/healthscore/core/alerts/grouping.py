"""One message of one fall: what several rules see at once is told by the gravest of them, which names the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.alerts.model import AlertKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.alerts.model import Alert
    from healthscore.core.alerts.rules import Change
    from healthscore.core.model import Band

FALLS = (AlertKind.BAND_FELL, AlertKind.SCORE_FELL, AlertKind.SILENT, AlertKind.DECLINING)
"""The kinds that tell of a fall, the gravest first."""


def grouped(found: Sequence[Change], earlier: Iterable[Alert], band: Band) -> list[Change]:
    """What is told of the changes that one score brought: one message for all that tell of a fall.

    Args:
        found: the changes.
        earlier: what was told of the account earlier on the same day. Its kinds are not told again, be it that they
            had a message or that they were part of another's; except that the account is in a yet lower band now.
        band: the account's band now.
    """
    known: dict[AlertKind, int] = {}
    for alert in earlier:
        if alert.band is not None:
            for kind in (alert.kind, *alert.merged):
                known[kind] = min(known.get(kind, alert.band.rank), alert.band.rank)

    def new(change: Change) -> bool:
        if change.kind is AlertKind.BAND_FELL and change.kind in known:
            return band.rank < known[change.kind]
        return change.kind not in known

    fresh = [change for change in found if new(change)]
    falls = sorted((change for change in fresh if change.kind in FALLS), key=lambda change: FALLS.index(change.kind))
    others = [change for change in fresh if change.kind not in FALLS]
    return [*([replace(falls[0], merged=tuple(falls[1:]))] if falls else []), *others]
