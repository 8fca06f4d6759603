"""The whole product on one machine: the real handlers behind a stand-in for API Gateway, with an embedded AWS."""
