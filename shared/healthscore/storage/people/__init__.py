"""People: where they belong, and events that wait to be reassigned."""
