"""The complete weeks of an account so far, as its weekly rules know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.detectors.drop import Drops
from healthscore.core.signals.model import ACTIVE_DAYS, USERS, signal

if TYPE_CHECKING:
    from healthscore.core.decisions.inputs import Inputs
    from healthscore.core.detectors.drop import Drop
    from healthscore.core.detectors.settings import DetectorSettings


class CountedWeeks:
    """The drops of each signal, and the open tickets, up to a week."""

    def __init__(self, inputs: Inputs, settings: DetectorSettings, *, first: int, of_people: bool) -> None:
        """Begin before a week.

        Args:
            inputs: what is known of the account.
            settings: how sensitive drops are.
            first: the first week that is counted.
            of_people: whether people use the product.
        """
        self.last = first - 1
        """The last week that is counted."""
        self._inputs = inputs
        self._of_people = of_people
        self._next = first
        keys = sorted({ACTIVE_DAYS, USERS, *inputs.history.weekly} - (set() if of_people else {USERS}))
        self.drops = {key: Drops(signal(key).minimum, settings.sensitivity) for key in keys}
        self.falling: dict[str, Drop] = {}
        """The drops that the last week is part of, as far as they are judged by their unusual weeks."""
        self.tickets: list[int] = []
        """The open tickets at the ends of the weeks, as far as they are known."""

    def count(self, last: int) -> None:
        """Take in the complete weeks up to one."""
        inputs, history, excused = self._inputs, self._inputs.history, self._inputs.excused
        for week in range(self._next, last + 1):
            for key, drops in self.drops.items():
                if not excused.excuses(key, week):
                    drops.add(week, history.week(key, week, of_people=self._of_people))
            if week in inputs.tickets:
                self.tickets.append(inputs.tickets[week])
        self._next = max(self._next, last + 1)
        self.last = last
        self.falling = {
            key: drops.current for key, drops in self.drops.items() if drops.current and drops.current.falling
        }
