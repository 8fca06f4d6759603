"""The tests, and the programs beside them. Whatever is imported of them, this is first: no other machine is reached."""

from tests.support import isolation

isolation.isolate()
