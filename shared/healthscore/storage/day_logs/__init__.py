"""Day logs: how events are committed, read and summed up."""
