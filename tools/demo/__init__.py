"""The demo workspace: 24 customers of a made-up product, each with a story of its own."""
