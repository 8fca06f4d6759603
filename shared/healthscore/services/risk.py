"""The risk of an account on demand: what its stored use says as of a night, for readers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from healthscore.core.decisions.finding_document import finding_json
from healthscore.core.decisions.life import life
from healthscore.core.detectors.champion_state import NOBODY, Champion, champion_on, inferred_champion
from healthscore.core.detectors.drop import DropState, Series
from healthscore.core.signals.calendar import DAYS, date_of, week_of
from healthscore.core.signals.document import signal_json
from healthscore.core.signals.model import ACTIVE_DAYS, BREADTH, INTEGRATION, USERS, VALUE, UsageChannel, signal
from healthscore.core.signals.questions import API_DAYS, may_be_an_api, may_be_its_rhythm
from healthscore.services import early_warning
from healthscore.services.folding import known_use
from healthscore.storage.accounts import history, risk_history, use
from healthscore.storage.day_logs import rollups
from healthscore.storage.people import traits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from healthscore.core.account import Account
    from healthscore.core.decisions.finding_document import FindingJson
    from healthscore.core.decisions.findings import Finding
    from healthscore.core.decisions.inputs import Inputs
    from healthscore.core.decisions.life import Life
    from healthscore.core.detectors.settings import DetectorSettings
    from healthscore.core.model import Band
    from healthscore.core.signals.document import SignalJson
    from healthscore.core.signals.model import Definitions, Profile, Signal
    from healthscore.core.signals.use import Use
    from healthscore.settings import Settings


@dataclass(frozen=True, slots=True)
class Assessment:
    """An account as of a night."""

    account: Account
    day: int
    """The last complete day of the night."""
    use: Use
    is_complete: bool
    """Whether all days up to the last one are known."""
    definitions: Definitions
    settings: DetectorSettings
    inputs: Inputs
    life: Life

    @property
    def profile(self) -> Profile:
        """The profile that the night knows."""
        return self.inputs.profile_on(self.day)

    @property
    def champion(self) -> Champion:
        """The champions, and whether they are there: those of the profile, or the one whom Monday's night chose."""
        profile, people = self.profile, self.inputs.history.people
        if not profile.of_people:
            return NOBODY
        if profile.champions:
            return champion_on(
                self.day, profile.champions, people, self.inputs.contacts, since=self._named, inferred=False
            )
        chosen = inferred_champion(people, self.day - self.day % DAYS)
        if chosen is None:
            return NOBODY
        return champion_on(self.day, (chosen,), people, self.inputs.contacts, since=self.day, inferred=True)

    @property
    def _named(self) -> int:
        """The day on which the champions were named; where they always were, that of the first event."""
        named = self.inputs.history.first or self.day
        before: tuple[str, ...] | None = None
        for since, profile in self.inputs.profiles:
            if since <= self.day and before is not None and profile.champions != before:
                named = since
            before = profile.champions
        return named

    def signals(self) -> list[SignalJson]:
        """Each signal of the account; tickets are no sum of a week, and stand for themselves."""
        integrations = [INTEGRATION + name for name in self.definitions.integrations]
        return [self._signal(signal(key)) for key in (ACTIVE_DAYS, USERS, VALUE, BREADTH, *integrations)]

    def _signal(self, of: Signal) -> SignalJson:
        profile, known, excused = self.profile, self.inputs.history, self.inputs.excused
        last = week_of(self.day + 1) - 1
        first = last + 1 if known.first_week is None else known.first_week
        weeks = [week for week in range(first, last + 1) if not excused.excuses(of.key, week)]
        values = [known.week(of.key, week, profile.usage_channel) for week in weeks]
        current = Series(weeks, values, of.minimum, self.settings.sensitivity).drop(len(weeks) - 1)
        episode = self.life.episode
        frozen = episode.baselines.get(of.key) if episode else None
        return signal_json(
            of,
            known,
            profile,
            excused,
            self.day,
            baseline=frozen or (current.baseline if current else None),
            irregular=current is not None and current.state is DropState.IRREGULAR,
        )

    def findings(self) -> list[FindingJson]:
        """What detectors saw of the account up to the night, and what was stored once and is not seen any more.

        Those that are stored have the ids under which they are. Texts have marks for people, as what is stored.

        Raises:
            StorageUnavailableError: the history cannot be read now.
        """
        account_id, last = self.account.account_id, date_of(self.day).isoformat()
        stored = {one["finding_id"]: one for one in risk_history.findings(account_id) if one["opened"] <= last}
        found = []
        for finding in self.life.findings:
            document = finding_json(finding, account_id)
            known = stored.get(document["finding_id"]) or next(
                (one for one in stored.values() if one["closed"] is None and _is_same(finding, one)), None
            )
            if known is not None:
                document["finding_id"], document["told"] = known["finding_id"], known["told"]
                del stored[known["finding_id"]]
            found.append(document)
        return [*found, *stored.values()]

    def names_of(self, people: Iterable[str]) -> dict[str, str]:
        """As `names_of`."""
        return _names(people, self.use)

    def people(self) -> dict[str, list[int]]:
        """The days up to the night of all people who were there until then, and of the champions, by their ids."""
        known = self.inputs.history.people
        people = {person: [day for day in days if day <= self.day] for person, days in known.items()}
        people = {person: days for person, days in people.items() if days}
        return people | {person: [] for person in self.champion.people if person not in people}

    def band(self) -> Band | None:
        """The band of the score in that night, or in the last one before it.

        Raises:
            StorageUnavailableError: the history cannot be read now.
        """
        snapshot = history.snapshot_before(self.account, date_of(self.day) + timedelta(days=2))
        return snapshot.band if snapshot else None

    def may_be_its_rhythm(self) -> bool:
        """Whether it comes back after long pauses, and nobody has said that this is its rhythm."""
        profile = self.profile
        return profile.cadence is None and may_be_its_rhythm(self.inputs.history.days(profile.usage_channel), self.day)

    def may_be_an_api(self) -> bool:
        """Whether an API uses the product, and nobody has said so, by the roll-ups of its last days.

        They say how many events were in nobody's session, and how many each of the more frequent names had. So this
        finds out whether enough events are certainly of nobody, or of integrations.

        Raises:
            StorageUnavailableError: the table cannot be read now.
        """
        if self.profile.usage_channel is UsageChannel.API or not self.inputs.history.any_days.days:
            return False
        last = date_of(self.day)
        days = rollups.rollups(self.account.account_id, last - timedelta(days=API_DAYS - 1), last, consistent=False)
        of_nobody = sum(day.events - day.session_events for day in days)
        names = self.definitions.of_integrations
        of_integrations = sum(found.count for day in days for name, found in day.names.items() if name in names)
        return may_be_an_api(sum(day.events for day in days), max(of_nobody, of_integrations))


def _is_same(finding: Finding, stored: FindingJson) -> bool:
    return finding.is_same(stored["detector"], stored["signal"], date.fromisoformat(stored["opened"]))


def assess(account: Account, settings: Settings, day: int, now: datetime) -> Assessment:
    """An account as of a night.

    Args:
        account: the account as read.
        settings: the workspace's settings.
        day: the last complete day of the night, which is not to come.
        now: the present time, aware.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    known, is_complete = known_use(account, settings, now)
    chosen = early_warning.detector_settings(settings)
    read = early_warning.inputs(account, known, settings, early_warning.excused_weeks(settings), day)
    return Assessment(
        account=account,
        day=day,
        use=known,
        is_complete=is_complete,
        definitions=early_warning.definitions(account, settings),
        settings=chosen,
        inputs=read,
        life=life(read, chosen, day),
    )


def names_of(account: Account, people: Collection[str]) -> dict[str, str]:
    """The names of an account's people, by the ids by which rules name them, as far as they are known.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return _names(people, use.read(account.account_id)) if people else {}


def _names(people: Iterable[str], known: Use) -> dict[str, str]:
    persons = {early_warning.person_of(one, known): one for one in people}
    return {persons[person]: name for person, name in traits.names(persons).items()} if persons else {}
