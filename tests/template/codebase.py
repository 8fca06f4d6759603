"""The modules and environment variables of a function, from its source and that of the modules it imports."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.template.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARED = ROOT / "shared"
TABLE_NAMES = SHARED / "healthscore" / "storage" / "schema.py"


def modules_of(handler: Path) -> list[Path]:
    """The files that a handler can load, at once or later: itself and all modules of healthscore that it imports."""
    found: list[Path] = []
    waiting = [handler]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.append(path)
            waiting += [imported for name in _imports(_run(path)) if (imported := _file(name)) is not None]
    return found


def variables_of(handler: Path) -> set[str]:
    """The environment variables that a handler can read; Powertools' Logger reads two of its own."""
    tables = {
        node.name: next(_read_from_environment(node))
        for node in ast.walk(_run(TABLE_NAMES))
        if isinstance(node, ast.FunctionDef) and any(_read_from_environment(node))
    }
    variables: set[str] = set()
    for path in modules_of(handler):
        if path == TABLE_NAMES:
            continue
        tree = _run(path)
        variables.update(_read_from_environment(tree))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        variables.update(variable for table, variable in tables.items() if table in names)
        if any(name.startswith("aws_lambda_powertools") for name in _imports(tree)):
            variables |= {"POWERTOOLS_SERVICE_NAME", "LOG_LEVEL"}
    return variables


def _run(path: Path) -> ast.Module:
    """A module's syntax tree, without the code for the type checker."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not (isinstance(node, ast.If) and _names_type_checking(node.test))]
    return tree


def _names_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path | None:
    if module.partition(".")[0] != "healthscore":
        return None
    path = SHARED.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


def _read_from_environment(tree: ast.AST) -> Iterator[str]:
    """Names in `os.environ["NAME"]` and `os.environ.get("NAME")`."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))):
                yield name
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name
