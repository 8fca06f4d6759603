"""Makes a page to read of the OpenAPI document: one HTML file that needs nothing from elsewhere, not even scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FOLDER = Path(__file__).parent
_DEEPEST = 6
"""Levels of an answer's fields that are listed."""


def page(document: Mapping[str, Any]) -> str:
    """The page.

    Its scripts and styles are named by their hashes, so that a browser runs these and nothing else.

    Args:
        document: the OpenAPI document.
    """
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    script = (_FOLDER / "page.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    info = document["info"]
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = document["components"]["schemas"]
    groups = [(tag, [entry for entry in operations if tag["name"] in entry[2]["tags"]]) for tag in document["tags"]]
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{escape(info['title'])} API</title>\n<style>{style}</style>\n</head>\n<body>\n<nav>\n",
            f"<strong>{escape(info['title'])} API</strong>\n",
            '<input type="search" placeholder="Find a route" aria-label="Find a route" hidden>\n',
            *(_menu(tag, entries) for tag, entries in groups),
            f"</nav>\n<main>\n<h1>{escape(info['title'])} API</h1>\n{_markdown(info['description'])}\n",
            '<p>For programs: <a href="openapi.json">the OpenAPI document</a>.</p>\n',
            *(_group(tag, entries, schemas) for tag, entries in groups),
            f"</main>\n<script>{script}</script>\n</body>\n</html>\n",
        )
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _menu(tag: Mapping[str, Any], entries: list[tuple[str, str, Any]]) -> str:
    items = "\n".join(
        f'<li><a href="#{operation["operationId"]}"><span class="method {method}">{method.upper()}</span>'
        f"<span>{escape(path.removeprefix('/v1'))}</span></a></li>"
        for method, path, operation in entries
    )
    return f"<h2>{escape(tag['name'])}</h2>\n<ul>\n{items}\n</ul>\n"


def _group(tag: Mapping[str, Any], entries: list[tuple[str, str, Any]], schemas: Mapping[str, Any]) -> str:
    sections = "".join(_operation(method, path, operation, schemas) for method, path, operation in entries)
    return f"<h2>{escape(tag['name'])}</h2>\n{_markdown(tag['description'])}\n{sections}"


def _operation(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    scope = operation["x-scope"]
    name = operation["operationId"]
    pieces = [
        f'<section class="operation" id="{name}">\n<h3><span class="method {method}">{method.upper()}</span>',
        f'<a class="path" href="#{name}">{escape(path)}</a><span class="scope">{scope or "no"} key</span></h3>\n',
        f'<p class="summary">{escape(operation["summary"])}</p>\n{_markdown(operation["description"])}\n',
    ]
    if "parameters" in operation:
        rows = "".join(
            _row(parameter["name"], parameter["in"], parameter["required"], parameter["description"])
            for parameter in operation["parameters"]
        )
        pieces.append(f"<h4>Parameters</h4>\n<table>{rows}</table>\n")
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        pieces.append(f"<h4>Body</h4>\n<table>{_rows(schema, schemas)}</table>\n")
    samples = operation.get("x-codeSamples", ())
    pieces += [
        f'<h4>Example</h4>\n<div class="shell"><pre><code>{escape(sample["source"])}</code></pre></div>\n'
        for sample in samples
    ]
    pieces.append(_success(operation["responses"]["200"], schemas))
    errors = "".join(
        f"<tr><td>{status}</td><td>{_markdown(response['description'])}</td></tr>\n"
        for status, response in operation["responses"].items()
        if status != "200"
    )
    pieces.append(f"<details><summary>Errors</summary>\n<table>{errors}</table></details>\n</section>\n")
    return "".join(pieces)


def _success(response: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    ((kind, content),) = response["content"].items()
    if "example" not in content:
        return f"<h4>Answer</h4>\n<p>200, <code>{escape(kind)}</code>.</p>\n"
    example = escape(json.dumps(content["example"], ensure_ascii=False, indent=2))
    return (
        "<h4>Answer</h4>\n"
        f"<details open><summary>200, an example</summary><pre><code>{example}</code></pre></details>\n"
        f"<details><summary>Every field of it</summary><table>{_rows(content['schema'], schemas)}</table></details>\n"
    )


def _rows(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    return "".join(_row(*field) for field in _fields(schema, schemas, "", 0))


def _fields(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], prefix: str, depth: int
) -> Iterator[tuple[str, str, bool, str]]:
    """Name, kind, whether it is required, and words of every field, those within others after them."""
    schema = _resolved(schema, schemas)
    for name, described in schema.get("properties", {}).items():
        field = _resolved(described, schemas)
        words = described.get("description") or field.get("description", "")
        is_list = "items" in field
        yield f"{prefix}{name}", _kind(field), name in schema.get("required", ()), words
        if depth < _DEEPEST:
            inner = field["items"] if is_list else field
            yield from _fields(inner, schemas, f"{prefix}{name}{'[]' * is_list}.", depth + 1)


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema without the indirections that a reader does not care for: references, and alternatives to null."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    choices = [
        choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null" and choice.keys() - {"format"}
    ]
    if not choices:
        return schema
    inner = _resolved(choices[0], schemas)
    return {
        **inner,
        **{key: value for key, value in schema.items() if key != "anyOf"},
        "nullable": len(choices) < len(schema["anyOf"]),
    }


def _kind(field: Mapping[str, Any]) -> str:
    kinds = field.get("type", "any")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    words = [kind for kind in kinds if kind != "null"]
    if "enum" in field:
        words = [", ".join(map(str, field["enum"]))]
    elif "const" in field:
        words = [json.dumps(field["const"])]
    elif "format" in field:
        words = [field["format"]]
    if "null" in kinds or field.get("nullable"):
        words.append("null")
    text = " or ".join(words)
    if "minimum" in field or "maximum" in field:
        text += (
            f", {field.get('minimum', '…'):,} to {field['maximum']:,}"
            if "maximum" in field
            else f", from {field['minimum']:,}"
        )
    if "maxLength" in field:
        text += f", up to {field['maxLength']:,} characters"
    if "maxItems" in field:
        text += f", up to {field['maxItems']:,}"
    return text


def _row(name: str, kind: str, required: bool, words: str) -> str:
    mark = ' <span class="required">required</span>' if required else ""
    return (
        f'<tr><td><code>{escape(name)}</code>{mark}</td><td class="kind">{escape(kind)}</td>'
        f"<td>{_markdown(words)}</td></tr>\n"
    )


def _markdown(text: str) -> str:
    """Paragraphs, bold, italics and code: what the descriptions use of Markdown."""
    return "\n".join(f"<p>{_inline(paragraph)}</p>" for paragraph in text.strip().split("\n\n") if paragraph)


def _inline(text: str) -> str:
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    marked = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", marked)
    return re.sub(r"(?<![\w*])\*([^*<]+?)\*(?![\w*])", r"<em>\1</em>", marked)
