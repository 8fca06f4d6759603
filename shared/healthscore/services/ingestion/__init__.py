"""From parsed events and calls to committed day logs."""
