"""Notifications: stored alerts and digests as messages to the alerts topic."""
