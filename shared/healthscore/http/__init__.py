"""The HTTP edge: requests, keys and scopes, errors, and the shapes of what is sent."""
