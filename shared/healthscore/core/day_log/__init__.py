"""The log of what an account did on one day, and what it adds up to."""
