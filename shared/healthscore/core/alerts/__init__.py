"""Alerts: the rules that find changes, what is grouped and suppressed, and the words."""
