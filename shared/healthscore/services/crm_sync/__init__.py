"""Reads a connected CRM, matches its companies with accounts, applies their facts, and writes scores back."""
