"""A night: plan it, process every account, finish it."""
