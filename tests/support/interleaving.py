"""Writers taking turns at every call to DynamoDB or S3, in an order that the test decides, and dying where it says.

Each writer runs in a thread of its own, and stops before each of its calls until it is let go, so that only one is at
work at any moment and a run is repeatable. A writer can be killed before a call (the call is never made) or after it
(it is made, and nobody learns of it).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from hypothesis.strategies import integers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from botocore.client import BaseClient
    from hypothesis.strategies import DataObject


_CHOICES = 12
"""Nearly as many for each of up to six writers."""


class Killed(BaseException):  # not an error: nothing may catch it
    """The process is gone."""


class Writer(threading.Thread):
    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self.done = False
        self.killed = False
        self.error: BaseException | None = None
        self.kill_before = self.kill_after = False

    def run(self) -> None:
        try:
            self._pause()
            self._work()
        except Killed:
            self.killed = True
        except BaseException as error:  # noqa: BLE001  (handed to the test's own thread)
            self.error = error
        self.done = True
        self._stopped.release()

    def _pause(self) -> None:
        self._stopped.release()
        self._go.acquire()

    def wait(self) -> None:
        self._stopped.acquire()

    def step(self) -> None:
        """Let the writer go on until its next call, or its end."""
        self._go.release()
        self._stopped.acquire()
        if self.error is not None:
            raise self.error

    def before_call(self) -> None:
        self._pause()
        if self.kill_before:
            raise Killed

    def after_call(self) -> None:
        if self.kill_after:
            raise Killed


def pass_turn() -> None:
    """Let the others go on: a writer pauses as it does before a call."""
    current = threading.current_thread()
    if isinstance(current, Writer):
        current.before_call()


def watch(client: BaseClient) -> None:
    """Make writers pause at the calls of this client; other threads pass."""

    def before(**_: object) -> None:
        current = threading.current_thread()
        if isinstance(current, Writer):
            current.before_call()

    def after(**_: object) -> None:
        current = threading.current_thread()
        if isinstance(current, Writer):
            current.after_call()

    service = client.meta.service_model.service_name
    client.meta.events.register(f"before-call.{service}", before)
    client.meta.events.register(f"after-call.{service}", after)


def run(
    works: Sequence[Callable[[], None]], choose: Callable[[int], int], kill: Callable[[], str | None]
) -> list[Writer]:
    """Run writers to their ends.

    Args:
        works: what each writer does.
        choose: picks one of n writers that can go on, 0 to n - 1.
        kill: asked once a step: None, or "before" or "after" to kill the chosen writer at its next call.
    """
    writers = [Writer(work) for work in works]
    for writer in writers:
        writer.start()
        writer.wait()
    while alive := [writer for writer in writers if not writer.done]:
        writer = alive[choose(len(alive))]
        fate = kill()
        writer.kill_before, writer.kill_after = fate == "before", fate == "after"
        writer.step()
    for writer in writers:
        writer.join()
    return writers


def drawn(data: DataObject, label: str) -> Callable[[int], int]:
    """Has Hypothesis choose who goes on, for `run`.

    It draws from one range, however many there are: that depends on random tokens as well, whose bytes may make a log's
    head a little longer or shorter. Hypothesis does not stand a choice whose range differs when it is run again.
    """
    return lambda n: data.draw(integers(0, _CHOICES - 1), label=label) % n
