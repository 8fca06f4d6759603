"""Checks the book of accounts at full size; run by hand."""
