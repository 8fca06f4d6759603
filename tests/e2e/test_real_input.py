"""Compares a part of the real input, small enough for every test run; `make e2e` compares all of it."""

from zoneinfo import ZoneInfo

import pytest

from tests.e2e import naive, server
from tests.e2e.real_input import DATA, Run

pytestmark = pytest.mark.slow

BURSTS_AND_SILENCE = "cosmicpython/code"
WENT_QUIET = "aws-samples/serverless-samples"
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
"""A zone with half an hour of summer time, far from UTC, where errors in days show easily."""


def test_real_input__in_disorder_and_twice__scores_as_recomputed_from_the_raw_file():
    rows = [row for row in naive.read_file(DATA) if row["account_id"] in {BURSTS_AND_SILENCE, WENT_QUIET}]
    with server.running("moto") as url:
        result = Run(url, rows, LORD_HOWE, seed=1).run()
    assert result.mismatches == []
    # Without comparisons there would be no mismatch either.
    assert (result.sent.distinct, result.sent.answers["invalid_timestamp"]) == (1331, 2)
    assert result.sent.twice_in_a_batch
    assert result.sent.twice_in_two_batches
    assert sum(result.compared.values()) > 300
    assert (result.nights.account, result.nights.comparisons) == (WENT_QUIET, 74)
    assert result.nights.drivers > 10
    assert result.nights.directions == {"unknown", "steady", "declining"}
