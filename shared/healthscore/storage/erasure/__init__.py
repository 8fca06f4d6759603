"""Erasing accounts and users: one module for each kind of item."""
