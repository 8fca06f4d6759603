"""What a stranger could guess byte by byte is compared in constant time."""

from __future__ import annotations

import ast
import re
from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared" / "healthscore"
EDGE = [path for folder in ("http", "api", "integrations") for path in sorted((SHARED / folder).rglob("*.py"))]
"""Where strangers' words arrive."""
GUESSABLE = re.compile(r"digest|signature|secret|api_key|write_key|authorization", re.IGNORECASE)


def name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return name_of(function)
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def test_keys_and_signatures__are_compared__by_compare_digest_alone():
    found = [
        f"{path.relative_to(SHARED)}:{node.lineno}"
        for path in EDGE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        and any(GUESSABLE.search(name_of(side)) for side in (node.left, *node.comparators))
    ]
    assert found == []
    assert sum("compare_digest" in path.read_text(encoding="utf-8") for path in EDGE) > 1
