"""What a night counts, and what it says about itself."""
