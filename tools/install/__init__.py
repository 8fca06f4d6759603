"""Install a lock into a virtual environment, once: `python3 -m tools.install requirements-run.txt`, as make does.

A complete environment takes a tenth of a second and stays as it is. A broken or half-finished one is created again. The
module loads only the standard library, so that an older Python can start it and print that it is too old.
"""
