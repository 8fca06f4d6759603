"""Connected CRMs: connections, companies, and the facts they bring."""
