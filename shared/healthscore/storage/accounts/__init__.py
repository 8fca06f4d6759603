"""Accounts: their items, history, index entries and search entries."""
