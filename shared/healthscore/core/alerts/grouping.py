"""Third stage: groups the changes of one fall. The gravest becomes the alert, which mentions the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.alerts.change import FALLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.alerts.change import Change


def group(found: Sequence[Change]) -> list[Change]:
    """Merge all falls into the gravest of them, which comes first; every other change stays as it is."""
    falls = sorted((change for change in found if change.kind in FALLS), key=lambda change: FALLS.index(change.kind))
    others = [change for change in found if change.kind not in FALLS]
    return [*([replace(falls[0], merged=tuple(falls[1:]))] if falls else []), *others]
