"""Nightly runs, and the summary that the newest one left."""
