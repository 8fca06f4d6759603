"""Install a lock into a virtual environment, once: `python3 -m tools.install requirements-run.txt`, as make does.

It does nothing, in a tenth of a second, where all of it is there and whole. What is broken or was interrupted is made
anew. An older Python can start it too, and is told that it is too old; only the standard library is loaded.
"""
