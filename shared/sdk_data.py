"""Cuts botocore's data down to what the functions load: `python sdk_data.py FOLDER SERVICE…`.

Whatever client is made first reads all of `endpoints.json`, 1.2 MB about four hundred services, and a client reads the
whole description of its service, most of which is its manual. Together that is a fifth of what a cold start takes.
What stays here reads the same to botocore, and clients of other services cannot be made.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any


def cut_down(data: Path, services: frozenset[str]) -> None:
    """Leave in botocore's `data` folder only what clients of these services read."""
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in services:
            shutil.rmtree(folder)
    for path in data.rglob("examples-*.json*"):
        path.unlink()
    for path in data.rglob("*.json*"):
        packed = path.suffix == ".gz"
        content = path.read_bytes()
        document = json.loads(gzip.decompress(content) if packed else content)
        if path.name == "endpoints.json":
            for partition in document["partitions"]:
                partition["services"] = {name: it for name, it in partition["services"].items() if name in services}
        path.unlink()
        smaller = json.dumps(_without_manual(document), ensure_ascii=False, separators=(",", ":"))
        (path.with_suffix("") if packed else path).write_text(smaller)


def _without_manual(document: Any) -> Any:  # noqa: ANN401  (JSON)
    """A description of a service without its texts, which only botocore's own documentation is made of."""
    if isinstance(document, dict):
        # A member of a shape may well be called "documentation"; it is an object, and stays.
        return {
            name: _without_manual(value)
            for name, value in document.items()
            if name != "documentation" or not isinstance(value, str)
        }
    return [_without_manual(value) for value in document] if isinstance(document, list) else document


if __name__ == "__main__":
    cut_down(Path(sys.argv[1]), frozenset(sys.argv[2:]))
