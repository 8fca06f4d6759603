"""What the product does: read, decide, act. Nothing here decides by itself; the core does."""
