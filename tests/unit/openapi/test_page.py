"""The page says all that the document says, and loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape

import pytest

from tools.openapi import __main__ as command
from tools.openapi.page import page

PAGE = command.PAGE.read_text(encoding="utf-8")
DOCUMENT = json.loads(command.DOCUMENT.read_text(encoding="utf-8"))
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_page__every_operation__has_its_section_with_all_there_is_to_know(path, method, operation):
    (section,) = re.findall(
        rf'<section class="operation" id="{operation["operationId"]}">.*?</section>', PAGE, re.DOTALL
    )
    assert f">{method.upper()}</span>" in section
    assert f">{escape(path)}</a>" in section
    assert f'<span class="scope">{operation["x-scope"] or "no"} key</span>' in section
    assert escape(operation["summary"]) in section
    for parameter in operation.get("parameters", ()):
        assert f"<code>{parameter['name']}</code>" in section
    for sample in operation.get("x-codeSamples", ()):
        assert escape(sample["source"]) in section
    for status in operation["responses"].keys() - {"200"}:
        assert f"<td>{status}</td>" in section
    assert f'href="#{operation["operationId"]}"' in PAGE.partition("</nav>")[0]


def test_page__what_it_loads__is_nothing():
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//|@import|url\(""", PAGE)
    assert set(re.findall(r"<(?:link|img|iframe|script)\b[^>]*>", PAGE)) == {"<script>"}


def test_page__its_policy__lets_its_own_style_and_script_run_and_no_other():
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', PAGE)
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.findall(r"""<[^>]+\s(?:style|on\w+)=""", PAGE)


def test_page__words_that_look_like_html__are_shown_as_they_are():
    document = {**DOCUMENT, "info": {**DOCUMENT["info"], "description": "a <script>alert(1)</script> & **b**"}}
    assert "a &lt;script&gt;alert(1)&lt;/script&gt; &amp; <strong>b</strong>" in page(document)
