"""How the product speaks HTTP: requests, keys, routes, wire formats and errors. Knows nothing of storage."""
