"""The demo workspace: nine customers of a made-up product, each with a story of its own."""
