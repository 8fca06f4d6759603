"""Connected CRMs: connections, companies, and the facts of accounts."""
