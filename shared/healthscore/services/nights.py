"""What the nights found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.dataset import figure_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


def figures(first: date, last: date, by: str | None) -> list[Mapping[str, Any]]:
    """The figures of the nights of a stretch, oldest first: of each night all accounts, then its groups, largest first.

    Args:
        first: the first night.
        last: the last night.
        by: `owner`, `segment`, `stage` or `scorecard`; None for no groups.

    Raises:
        StorageUnavailableError: the dataset cannot be read now.
    """
    return [*figure_files.read(first, last, by or figure_files.ALL)]
