"""The detectors: one file each, and one line here, the gravest patterns first (signal rule 33)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from healthscore.core.detectors import (
    accelerating,
    adoption,
    champion,
    drop,
    fade,
    growth,
    halved,
    multiple,
    onboarding,
    out_of_use,
    overdue,
    regime_change,
    repeated,
    tickets,
    volume_stops,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.detectors.finding import Detector, Sighting

DETECTORS: tuple[Detector, ...] = (
    regime_change.DETECTOR,
    volume_stops.DETECTOR,
    out_of_use.DETECTOR,
    overdue.DETECTOR,
    multiple.DETECTOR,
    drop.DETECTOR,
    halved.DETECTOR,
    repeated.DETECTOR,
    accelerating.DETECTOR,
    fade.DETECTOR,
    champion.DETECTOR,
    onboarding.DETECTOR,
    tickets.DETECTOR,
    growth.DETECTOR,
    adoption.DETECTOR,
)
"""All of them, in the order in which reasons of one level are listed."""
BY_NAME: Mapping[str, Detector] = MappingProxyType({detector.name: detector for detector in DETECTORS})
ORDER: Mapping[str, int] = MappingProxyType({detector.name: at for at, detector in enumerate(DETECTORS)})


def gravest_first(sighting: Sighting) -> tuple[int, int, str]:
    """The key that sorts sightings: red before yellow, then by pattern, then by signal."""
    return -sighting.level, ORDER.get(sighting.detector, len(ORDER)), sighting.signal or ""
