"""Requests made up from the description, right and wrong ones, are never answered otherwise than it says.

A dozen of each operation, always the same ones; `FUZZ_EXAMPLES=200 pytest tests/integration/openapi` makes more.
"""

from __future__ import annotations

import os

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.openapi import described

API = schemathesis.openapi.from_dict(described())
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@API.parametrize()
@settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "12")),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_operation__any_request__is_answered_as_described(case, stack):
    response = case.call(base_url=stack.url, headers={"Authorization": "Bearer local-admin"})
    case.validate_response(response, checks=CHECKS)
