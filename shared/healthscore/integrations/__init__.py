"""Other companies' products, each behind a protocol of ours."""
