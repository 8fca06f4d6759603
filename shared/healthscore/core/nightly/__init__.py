"""The totals of a night, and its digest."""
