"""The page's files, as they are served. tests/browser opens the page in a browser."""

from __future__ import annotations

import gzip
import re
from hashlib import sha256
from pathlib import Path

import pytest

from healthscore.api import docs_page

FOLDER = Path(docs_page.__file__).parent
LIBRARY = {
    "swagger-ui-bundle.min.js": "93b7b0862a80e2786f85b560be7693c2344354ffa7e7e224f850a54349724c31",
    "swagger-ui.min.css": "9e576f8322132c76949da47f9bb53c891373c303ea3a761ff548ffc9de50a98c",
}
"""SHA-256 of Swagger UI 5.31.0's files, as its makers publish them on npm. They run with the reader's API key, so a
release is looked at before it is named here."""
MAX_RESULT = 6 * 1024 * 1024
"""Bytes of a function's result as JSON; Lambda's limit."""


def content(name: str) -> bytes:
    return docs_page.static_file(name, "", "").body


@pytest.mark.parametrize("name", LIBRARY)
def test_static_file__of_the_library__is_the_release_that_was_looked_at(name):
    assert sha256(content(name)).hexdigest() == LIBRARY[name]


@pytest.mark.parametrize("name", sorted(docs_page.FILES - LIBRARY.keys()))
def test_static_file__of_ours__is_the_one_beside_the_code(name):
    assert content(name) == (FOLDER / name).read_bytes()


def test_files__beside_the_code__are_all_served():
    assert {path.name for path in FOLDER.iterdir() if path.suffix in {".html", ".js", ".css"}} | LIBRARY.keys() == (
        docs_page.FILES
    )


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("docs.html", "text/html; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("swagger-ui.min.css", "text/css; charset=utf-8"),
    ],
)
def test_static_file__of_each_kind__has_its_type_and_the_policy(name, content_type):
    headers = docs_page.static_file(name, "gzip", "").headers
    assert headers["Content-Type"] == content_type
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize("name", ["", "index.html", "../docs.html", "docs.html.gz", "__init__.py", "swagger-ui.js"])
def test_static_file__of_any_other_name__is_none(name):
    with pytest.raises(KeyError):
        docs_page.static_file(name, "gzip", "")


@pytest.mark.parametrize("name", sorted(docs_page.FILES))
@pytest.mark.parametrize("accept_encoding", ["gzip", ""])
def test_static_file__in_base64__is_within_lambda_s_limit(name, accept_encoding):
    assert len(docs_page.static_file(name, accept_encoding, "").body) * 4 / 3 < MAX_RESULT - 10_000


def test_page__what_it_loads__are_the_files_by_absolute_paths():
    """/v1/docs and /v1/docs/ are one page; a relative path would mean two things."""
    page = content(docs_page.PAGE).decode()
    loaded = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]*)"', page)
    assert set(loaded) - {"data:,"} == {f"/v1/docs/{name}" for name in docs_page.FILES - {docs_page.PAGE}}
    assert not re.findall(r"<style|<script>| style=| on\w+=|https?:", page), "the policy would forbid it"


def test_script__the_key__is_not_stored():
    assert "persistAuthorization: false," in content("page.js").decode()


def test_static_file__as_the_layer_has_it__is_answered_from_what_is_compressed_there(tmp_path, monkeypatch):
    (tmp_path / "swagger-ui.min.css.gz").write_bytes(gzip.compress(b"body {}"))
    monkeypatch.setattr(docs_page, "_LIBRARY", tmp_path)
    docs_page._read.cache_clear()
    try:
        assert content("swagger-ui.min.css") == b"body {}"
    finally:
        docs_page._read.cache_clear()
