"""Erasing accounts and users: one module for each sort of item, listed in `accounts.ERASERS` and `users.ERASERS`."""
