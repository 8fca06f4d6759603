"""The workspace in short, as the newest night of the dataset has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant
from healthscore.dataset import night_summary
from healthscore.storage.accounts import existence
from healthscore.storage.nights import manifests, tombstones
from healthscore.storage.retries import attempts
from healthscore.storage.runs import earlier_summary

if TYPE_CHECKING:
    from collections.abc import Mapping


def newest() -> Mapping[str, Any] | None:
    """The newest night in short, without naming accounts that are gone since; None before the first night.

    Raises:
        StorageUnavailableError: it cannot be read now.
    """
    erased = [one.account_id for one in tombstones.pending()]  # before the night, from which they are taken out at last
    found = _newest()
    if found is None:
        return None
    named = night_summary.named(found)
    return night_summary.without(found, {*erased, *named - existence.present(named)})


def _newest() -> Mapping[str, Any] | None:
    for _ in attempts("the newest night is made again and again"):
        manifest = manifests.newest()
        if manifest is None or manifest.summary is None:
            return earlier_summary.read()
        found = night_summary.read(manifest.summary)
        if found is not None:
            return {"date": manifest.night.isoformat(), "as_of": format_instant(manifest.as_of), **found}
    return None
