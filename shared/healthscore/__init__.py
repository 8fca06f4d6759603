"""Customer health scores: exact, explainable, serverless."""
