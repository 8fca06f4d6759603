"""Decisions: what the findings of an account come to, and what to do about it (rules 18, 19 and 31 to 39)."""
