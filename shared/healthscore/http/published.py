"""Files that are published as they are: the API's description, for programs and for people.

They are written by `python -m tools.openapi` and lie beside this module, so that the layer carries them: answering them
takes no schema library, and no other function pays for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json"}
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file as it is answered."""

    text: str
    content_type: str


@cache
def published_file(name: str) -> PublishedFile:
    """Read one of the published files, once.

    Args:
        name: as it lies beside this module, such as `openapi.json`.
    """
    path = _FOLDER / name
    return PublishedFile(path.read_text(encoding="utf-8"), _TYPES[path.suffix])
