"""Stand-ins for other companies' products, used by the tests and by the local stack."""
