"""Compact YAML: what fits in a line is written in one, so that a reviewer reads a change of the API as a few lines."""

from __future__ import annotations

import json
from typing import Any

import yaml

_WIDTH = 120
_HEADER = """\
# The API, generated from the code. A test compares the two; to generate it again:
# PYTHONPATH=shared .venv/bin/python -m healthscore.api.openapi --yaml docs/openapi.yaml
"""
_IN_ONE_LINE = 108
_IN_LINES = 320
"""Characters, as JSON, up to which an object or a list is written in one line; or in lines without a break for each
member, where it holds no other object."""


class _Dumper(yaml.SafeDumper):
    """PyYAML's own dumper, which decides by the length how to write what."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  (the base class's own)
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:  # noqa: ANN401, ARG002  (the base class's own)
        return super().represent_mapping(tag, mapping, flow_style=_is_short(mapping))

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:  # noqa: ANN401, ARG002  (the base class's own)
        return super().represent_sequence(tag, sequence, flow_style=_is_short(sequence))

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """A text; one of several paragraphs is folded."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=">" if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def to_yaml(described: dict[str, Any]) -> str:
    """The document as it is committed."""
    return _HEADER + yaml.dump(described, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _is_short(value: Any) -> bool:  # noqa: ANN401  (any JSON value)
    text = json.dumps(value, ensure_ascii=False)
    return (
        len(text) <= (_IN_LINES if text.count("{") <= isinstance(value, dict) else _IN_ONE_LINE) and "\\n" not in text
    )
