"""Early warning: what the rules read of an account and a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.signals.model import Definitions

if TYPE_CHECKING:
    from healthscore.core.account import Account
    from healthscore.settings import Settings

_DEFAULT = Definitions()


def definitions(account: Account, settings: Settings) -> Definitions:  # noqa: ARG001  (no setting names events yet)
    """Which event names make up the signals of an account."""
    return _DEFAULT
