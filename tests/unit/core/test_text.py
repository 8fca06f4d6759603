from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest

from healthscore.core.text import counted, elapsed, figure, listed, moment, sentence, signed, span


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 events"),
        (1, "1 event"),
        (2, "2 events"),
        (1200, "1,200 events"),
        (Fraction(14, 3), "4.7 events"),
        (Fraction(22, 21), "1 event"),
    ],
)
def test_counted__number__takes_the_right_form_of_the_noun(number, expected):
    assert counted(number, "event") == expected


@pytest.mark.parametrize(
    ("items", "expected"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listed__items__reads_like_speech(items, expected):
    assert listed(items) == expected


@pytest.mark.parametrize(("value", "expected"), [(Fraction(14, 3), "4.7"), (10, "10"), (Fraction(9996, 10), "999.6")])
def test_figure__value__has_at_most_one_decimal(value, expected):
    assert figure(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(Fraction(14, 3), "+4.7"), (0, "0"), (-10, "-10")])
def test_signed__change__shows_its_direction(value, expected):
    assert signed(value) == expected


def test_moment__instant_of_another_zone__is_shown_in_utc():
    at = datetime(2026, 11, 13, 9, 10, 59, tzinfo=timezone(timedelta(hours=11)))
    assert moment(at) == "2026-11-12 22:10 UTC"


def test_moment__instant_in_utc__is_cut_to_the_minute():
    assert moment(datetime(2026, 1, 2, 3, 4, 59, tzinfo=UTC)) == "2026-01-02 03:04 UTC"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (150, "2 min 30 s"), (Fraction(299, 5), "1 min")]
)
def test_span__seconds__is_rounded_to_the_second(seconds, expected):
    assert span(seconds) == expected


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (timedelta(0), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=5, minutes=3), "5 hours 3 minutes"),
        (timedelta(days=1) - timedelta(milliseconds=1), "23 hours 59 minutes"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=3), "3 days"),
        (timedelta(days=3, milliseconds=1), "just over 3 days"),
        (timedelta(days=3, hours=1, minutes=59), "3 days 1 hour"),
    ],
)
def test_elapsed__span__is_never_rounded_up_and_shows_that_a_day_is_over(time, expected):
    assert elapsed(time) == expected


def test_sentence__clause__gets_a_capital_and_keeps_the_rest():
    assert sentence("seen at 10:00 UTC") == "Seen at 10:00 UTC."
