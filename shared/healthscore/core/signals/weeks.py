"""How many weeks are compared with how many (signal rules 7 and 12)."""

from __future__ import annotations

BASELINE_WEEKS = 12
"""A quarter less a week: a holiday is a small part of it, and last year's growth is not in it."""
RECENT_WEEKS = 4
"""A month of whole weeks."""
