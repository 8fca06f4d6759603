"""What the nightly dataset holds: its columns, and the names of its files."""
