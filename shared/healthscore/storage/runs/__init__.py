"""Nightly runs, and what they leave of themselves."""
