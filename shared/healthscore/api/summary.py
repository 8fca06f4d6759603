"""How the workspace in short is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core.model import Band
from healthscore.http.paths import account_path

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_NIGHT: Mapping[str, Any] = {
    "date": None,
    "as_of": None,
    "accounts": 0,
    "bands": {band.value: {"accounts": 0, "accounts_before": 0, "arr": 0} for band in Band},
    "movers": {"up": [], "down": []},
}


def summary_document(stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """The summary of the newest finished night, with each mover's ready `path`; all 0 before the first night."""
    summary = dict(_NO_NIGHT if stored is None else stored)
    summary["movers"] = {
        way: [{**mover, "path": account_path(mover["account_id"])} for mover in moved]
        for way, moved in summary["movers"].items()
    }
    return summary
