"""One line where the score's band and the risk disagree (signal rule 31).

The score says how much the product is used now, the risk whether that weakens. A low but steady account is not given
the action of a fall.
"""

from __future__ import annotations

from healthscore.core.model import Band

_HEALTHY_AND_RED = (
    "Still healthy by its score, which follows what was used: what is used now falls, so act on the risk."
)
_CRITICAL_AND_OK = "Low but steady: it uses little, as it usually does, and nothing falls. No outreach is due for that."


def disagreement(band: Band | None, state: str | None) -> str | None:
    """What there is to say where an account is healthy and red, or critical and ok; None where the two agree."""
    if (band, state) == (Band.HEALTHY, "red"):
        return _HEALTHY_AND_RED
    return _CRITICAL_AND_OK if (band, state) == (Band.CRITICAL, "ok") else None
