"""Facts as they are made of a CRM's fields."""

from __future__ import annotations

import pytest

from healthscore.core.book import MAX_ARR
from healthscore.integrations.crm.facts import revenue


@pytest.mark.parametrize(
    ("given", "arr"),
    [
        ("1200.5", 1200.5),
        ("1200", 1200.0),
        (0, 0.0),
        (MAX_ARR, float(MAX_ARR)),
        (None, None),
        ("", None),
        ("about 1200", None),
        ("1,200", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e300", None),
    ],
)
def test_revenue__of_a_field_that_people_fill_in__is_an_amount_or_unknown(given, arr):
    assert revenue(given) == arr
