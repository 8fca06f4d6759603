"""The risk of an account as a night leaves it, and what there is to store once for all.

The fold finds states and findings anew each night. What was stored is not found anew: a decision says what changed
since the night before as that night left it, and a finding keeps the id under which it was stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.decisions.decision import decide, sentence
from healthscore.core.decisions.episode import Ending
from healthscore.core.decisions.finding_document import finding_json
from healthscore.core.decisions.findings import FindingState, finding_id
from healthscore.core.decisions.life import Change
from healthscore.core.decisions.people import marked, of_nobody
from healthscore.core.detectors.finding import Level
from healthscore.core.detectors.registry import BY_NAME, gravest_first
from healthscore.core.model import OpenFinding, Risk
from healthscore.core.signals.calendar import date_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.decisions.decision import DecisionJson, Link
    from healthscore.core.decisions.finding_document import FindingJson
    from healthscore.core.decisions.findings import Finding
    from healthscore.core.decisions.life import Life
    from healthscore.core.detectors.finding import Sighting
    from healthscore.core.signals.model import Profile


@dataclass(frozen=True, slots=True)
class News:
    """What a night has to store of an account."""

    risk: Risk
    decision: DecisionJson | None = None
    """Where the state has changed since the night before."""
    findings: tuple[FindingJson, ...] = ()
    """Those that are new, graver, or closed."""
    withdrawn: tuple[str, ...] = ()
    """The ids of stored findings that are not seen at any time any more."""


def risk_of(life: Life, day: int, profile: Profile) -> Risk:
    """The risk of an account as of a night that is looked at by itself.

    Args:
        life: its nights up to that one.
        day: the last complete day of the night.
        profile: what is known of it.
    """
    return _risk(life, day, profile, None, _matched((), life.findings))


def _risk(life: Life, day: int, profile: Profile, before: Risk | None, matched: _Matched) -> Risk:
    """The risk of an account; `before` is what the night before has left."""
    state = None if life.state is None else life.state.word
    since, previous = life.since, None if life.previous is None else life.previous.word
    begins = None if since is None else date_of(since + 1)
    if before is not None:
        begins, previous = (
            (before.since, before.previous) if before.state == state else (date_of(day + 1), before.state)
        )
    reasons = reasons_of(life)
    if before is not None and before.state == state:
        due = before.due
    else:
        due = decide(Change(day, None, life.state, reasons, None), profile).due
    is_open = [(finding, one) for finding, one in matched.pairs if finding.state is not FindingState.CLOSED]
    return Risk(
        day=date_of(day),
        state=state,
        since=begins,
        previous=previous,
        reason=_reason(reasons[0]) if reasons else None,
        due=due,
        findings=tuple(
            _short(finding, one) for finding, one in sorted(is_open, key=lambda pair: gravest_first(pair[0].sighting))
        ),
    )


def news_of(
    account_id: str,
    before: Risk | None,
    life: Life,
    day: int,
    profile: Profile,
    *,
    escalation_owner: str | None = None,
    pages: Sequence[Link] = (),
) -> News:
    """What a night has to store of an account, of which it knows what the night before has left.

    Args:
        account_id: the account.
        before: that; None on the first night that judges the account.
        life: its nights up to this one.
        day: the last complete day of this night.
        profile: what is known of it.
        escalation_owner: who hears at once of a red account that nobody looks after.
        pages: further links, as the CRM's record.
    """
    matched = _matched(() if before is None else before.findings, life.findings)
    risk = _risk(life, day, profile, before, matched)
    findings = []
    for finding, one in matched.pairs:
        if _is_news(finding, one):
            document = finding_json(finding, account_id, pages=pages)
            if one is not None:
                document["finding_id"] = id_of(one, account_id)
            findings.append(document)
    return News(
        risk=risk,
        decision=_decision(before, risk, life, day, profile, escalation_owner, pages),
        findings=tuple(findings),
        withdrawn=tuple(id_of(one, account_id) for one in matched.gone),
    )


def id_of(finding: OpenFinding, account_id: str) -> str:
    """The id under which a finding is stored."""
    return finding_id(finding.opened, finding.detector, finding.signal, account_id)


class _Matched(NamedTuple):
    pairs: list[tuple[Finding, OpenFinding | None]]
    """The findings of a fold, each with what was known of it."""
    gone: list[OpenFinding]
    """What was known and is not seen at any time."""


def _matched(known: Iterable[OpenFinding], findings: Iterable[Finding]) -> _Matched:
    """Find the findings again that an earlier night has stored (see `Finding.is_same`)."""
    left = {(one.detector, one.signal): one for one in known}
    pairs: list[tuple[Finding, OpenFinding | None]] = []
    for finding in sorted(findings, key=lambda one: one.opened):
        key = finding.sighting.detector, finding.sighting.signal
        one = left.get(key)
        if one is not None and finding.is_same(*key, one.opened):
            pairs.append((finding, left.pop(key)))
        else:
            pairs.append((finding, None))
    return _Matched(pairs, list(left.values()))


def _is_news(finding: Finding, known: OpenFinding | None) -> bool:
    """Whether a finding is new, has become graver or closed. One that was over before anybody heard of it is not."""
    if known is None:
        return finding.state is not FindingState.CLOSED
    return (finding.level.word, finding.state.value) != (known.level, known.state)


def _decision(  # noqa: PLR0917  (as for `news_of`)
    before: Risk | None,
    now: Risk,
    life: Life,
    day: int,
    profile: Profile,
    escalation_owner: str | None,
    pages: Sequence[Link],
) -> DecisionJson | None:
    """The decision of a change since the night before; on the first night, of an account that is not well."""
    state_before = None if before is None else before.state
    if now.state == state_before or (before is None and now.state == Level.OK.word):
        return None
    after = day - 1 if before is None else before.day.toordinal()
    last = life.changes[-1] if life.changes and life.changes[-1].day > after else None
    reasons = reasons_of(life) or (() if last is None else last.reasons)
    ending = Ending.LOST if profile.churned else None if last is None else last.ending
    change = Change(day, _level(state_before), life.state, reasons, ending)
    return decide(change, profile, escalation_owner).to_json(pages)


def reasons_of(life: Life) -> tuple[Sighting, ...]:
    """Why an account has its state: all of its episode, or what is open, the gravest first (signal rule 33)."""
    if life.episode is not None:
        return tuple(sorted(life.episode.sightings.values(), key=gravest_first))
    return tuple(finding.sighting for finding in _open(life))


def _open(life: Life) -> list[Finding]:
    found = [finding for finding in life.findings if finding.state is not FindingState.CLOSED]
    return sorted(found, key=lambda finding: gravest_first(finding.sighting))


def _reason(gravest: Sighting) -> str:
    sighting, people = marked(gravest)
    return of_nobody(sentence(sighting), len(people))


def _short(finding: Finding, known: OpenFinding | None) -> OpenFinding:
    sighting = finding.sighting
    evidence = next(iter(BY_NAME[sighting.detector].evidence(sighting)), None)
    return OpenFinding(
        detector=sighting.detector,
        signal=sighting.signal,
        level=finding.level.word,
        state=finding.state.value,
        opened=date_of(finding.opened) if known is None else known.opened,
        usual=None if evidence is None else evidence.before,
        now=None if evidence is None else evidence.after,
        percent=None if evidence is None else evidence.percent,
    )


def _level(word: str | None) -> Level | None:
    return None if word is None else Level[word.upper()]
