"""A believable workspace to look around in: eight customers of a made-up product, each with a story of its own."""
