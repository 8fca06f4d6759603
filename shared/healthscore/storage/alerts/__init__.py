"""Alerts and digests as they are stored, and what became of them."""
