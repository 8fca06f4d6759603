"""Where band and risk disagree, one line says so."""

from __future__ import annotations

import pytest

from healthscore.core.explain.disagreement import disagreement
from healthscore.core.model import Band


@pytest.mark.parametrize(
    ("band", "state", "beginning"),
    [
        (Band.HEALTHY, "red", "Still healthy"),
        (Band.CRITICAL, "ok", "Low but steady"),
        (Band.HEALTHY, "ok", None),
        (Band.HEALTHY, "yellow", None),
        (Band.CRITICAL, "red", None),
        (Band.CRITICAL, None, None),
        (None, "red", None),
    ],
)
def test_disagreement__band_and_risk__is_said_in_one_line(band, state, beginning):
    line = disagreement(band, state)
    assert line is None if beginning is None else line.startswith(beginning)
