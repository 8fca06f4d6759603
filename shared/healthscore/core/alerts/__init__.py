"""Alerts: which changes of an account are worth one, in stages from finding to wording."""
