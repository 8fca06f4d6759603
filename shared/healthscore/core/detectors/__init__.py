"""Detectors: the rules that see a pattern in signals, one file each (rules 12 to 30)."""
