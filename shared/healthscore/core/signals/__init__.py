"""Signals: the measured series of an account, and the figures read from them (rules 5 to 11)."""
