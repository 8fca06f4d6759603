"""Who belongs where, and who they are."""
