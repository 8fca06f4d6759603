from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


FUNCTIONS = ["ingest", "score", "api", "insights", "nightly", "crm_sync", "crm_refresh", "crm_webhook", "erase_dataset"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_handler__on_a_cold_start__does_not_import_what_would_slow_it_down(function):
    """Pydantic and Powertools' resolver each cost a cold start more than the function's own code."""
    check = f"import functions.{function}.handler, sys; print(*sys.modules)"
    paths = f"{ROOT / 'shared'}:{ROOT}"
    environment = {"PYTHONPATH": paths, "AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_SERVICE_NAME": function}
    output = subprocess.run(
        [sys.executable, "-c", check], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    modules = set(output.split())
    assert "healthscore" in modules
    assert not modules & {"pydantic", "aws_lambda_powertools.event_handler", "aws_xray_sdk"}
