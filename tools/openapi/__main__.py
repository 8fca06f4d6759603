"""Write the API's description: the OpenAPI document and the page made of it.

python -m tools.openapi            from the code and from the answers recorded last
python -m tools.openapi --record   after asking the local stack's demo workspace for every answer anew
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tools import ROOT
from tools.openapi.document import document
from tools.openapi.page import page
from tools.openapi.schemas import UndescribedError

RECORDED = ROOT / "tools" / "openapi" / "recorded.json"
"""An answer of each operation to its example."""
DOCUMENT = ROOT / "shared" / "healthscore" / "http" / "openapi.json"
PAGE = ROOT / "shared" / "healthscore" / "http" / "docs.html"


def generated() -> tuple[str, str]:
    """The document and the page, as they are to be committed.

    Raises:
        UndescribedError: the code has something that nobody has described yet.
    """
    described = document(json.loads(RECORDED.read_text(encoding="utf-8")))
    return to_text(described), page(described)


def to_text(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """JSON that can be compared line by line."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def main() -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.openapi", description="Write the API's description.")
    parser.add_argument("--record", action="store_true", help="ask the demo workspace for every answer anew")
    if parser.parse_args().record:
        from tools.openapi.record import record  # noqa: PLC0415  (needs the embedded AWS, which takes seconds to load)

        RECORDED.write_text(to_text(record()), encoding="utf-8")
    try:
        texts = generated()
    except UndescribedError as error:
        print(error, file=sys.stderr)
        return 1
    for path, text in zip((DOCUMENT, PAGE), texts, strict=True):
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {len(text):,} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
