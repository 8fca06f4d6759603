"""Reads a connected CRM, matches companies with accounts, applies their facts, and writes scores back."""
