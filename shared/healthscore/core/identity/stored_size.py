"""How many bytes a value takes in an item: what bounds records and traits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection


def stored_size(value: Mapping[str, Any] | Collection[Any]) -> int:
    """Bytes of a value as it is stored: compact JSON in UTF-8."""
    stored = dict(value) if isinstance(value, Mapping) else [*value]
    return len(json.dumps(stored, ensure_ascii=False, separators=(",", ":")).encode())
