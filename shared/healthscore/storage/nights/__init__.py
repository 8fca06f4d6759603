"""The dataset in the Settings table: each night's manifest, and the tombstones of erased accounts."""
