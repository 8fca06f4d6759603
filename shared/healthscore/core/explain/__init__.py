"""Why a score is what it is, what moved it, and what to do about it."""
