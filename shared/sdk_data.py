"""Reduces botocore's data to the services that the functions use: `python sdk_data.py FOLDER SERVICE…`.

The first client of a process parses all of `endpoints.json`, 1.2 MB about four hundred services, and each client parses
the description of its service, most of which is its manual. Together that is a fifth of a cold start's time.
botocore reads the reduced data as it reads the full one; clients of other services cannot be created.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any


def cut_down(data: Path, services: frozenset[str]) -> None:
    """Remove from botocore's `data` folder everything that clients of these services do not read."""
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
    """A service's description without its texts, which only the generation of botocore's documentation uses."""
    if isinstance(document, dict):
        # A member of a shape may be called "documentation"; its value is an object, not a text, and stays. So do the
        # texts of a client's settings, without which botocore fails.
        return {
            name: value if name == "clientContextParams" else _without_manual(value)
            for name, value in document.items()
            if name != "documentation" or not isinstance(value, str)
        }
    return [_without_manual(value) for value in document] if isinstance(document, list) else document


if __name__ == "__main__":
    cut_down(Path(sys.argv[1]), frozenset(sys.argv[2:]))
