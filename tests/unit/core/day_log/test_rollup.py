"""The sum of a day's entries: who is whose, and what does not count."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.day_log.codec import COPY, GATE, INTERNAL, PARTLY, entry
from healthscore.core.day_log.log import EMPTY_HEAD, NOTHING_SEALED, append, decode_head, labels
from healthscore.core.day_log.rollup import Fold, decode_rollup, encode_rollup, merged
from healthscore.core.day_log.shards import split
from healthscore.core.model import DayRollup
from healthscore.core.time import from_millis
from tests.support.events import DAY, distinct_events, event, naive_rollup

NOTHING = DayRollup(DAY, 0, 0, 0, 0, 0, from_millis(0), from_millis(0), {})
known_as = st.dictionaries(
    st.sampled_from(["uann", "ubob", "u7d9f1c52-3a50-4a09-9df4-0c2f3f1a2b3c", "avisitor-1"]),
    st.sampled_from(["uann", "ukim", "!ukim", "!ubob"]),
)


def rollup(entries):
    return Fold().add(entries).rollup(DAY)


def one(event_id, minute=0, label=None, flags=0, **fields):
    return entry(event(event_id, minute, **{"user_id": "ann", **fields}))._replace(label=label, flags=flags)


def labelled(events, known):
    return [one._replace(label=known.get(one.person)) for one in map(entry, events)]


def figures(events, known):
    """The figures as if everybody had sent the events as who they are known to be; who does not count sent none."""
    counted = []
    for sent in events:
        person = entry(sent).person
        who = known.get(person, person)
        if who is None:
            counted.append(sent)
        elif who.startswith("u"):
            counted.append(replace(sent, user_id=who[1:], anonymous_id=None))
        elif who.startswith("a"):
            counted.append(replace(sent, user_id=None, anonymous_id=who[1:]))
    return replace(naive_rollup(counted) if counted else NOTHING, not_counted=len(events) - len(counted))


@given(distinct_events(), known_as, st.randoms())
def test_fold__of_labelled_entries_in_any_order__is_that_of_the_people_they_are_known_to_be(events, known, random):
    entries = labelled(events, known)
    random.shuffle(entries)
    assert rollup(entries) == figures(events, known)


@given(distinct_events(max_size=60), known_as, st.sampled_from([1, 2, 8, 32]))
def test_merged__roll_ups_of_shards_with_labels__is_that_of_the_day(events, known, shards):
    """All that a person does lies in one shard, whatever the ids, so people and sessions add up."""
    parts = split(labelled(events, known), shards)
    assert merged([rollup(part) for part in parts.values()]) == figures(events, known)


def test_merged__with_shards_in_which_nothing_counts__takes_its_times_from_the_others():
    counted, apart = rollup([one("e1", 7)]), rollup([one("e2", 3, "!ukim"), one("e3", 9, flags=INTERNAL)])
    expected = replace(naive_rollup([event("e1", 7, user_id="ann")]), not_counted=2)
    assert merged([apart, counted]) == merged([counted, apart]) == expected
    assert merged([apart, apart]) == replace(NOTHING, not_counted=4)


def test_fold__of_a_session_across_a_sign_up__is_one_session_of_one_person():
    visit = one("e1", 0, "uann", user_id=None, anonymous_id="v1")
    found = rollup([visit, one("e2", 20), one("e3", 40, flags=COPY)])
    assert (found.people, found.sessions, found.session_ms) == (1, 1, 40 * 60_000)


def test_fold__of_one_session_id_under_two_ids_of_a_person__is_one_session():
    entries = [one("e1", 0, "uann", user_id="ann.old", session_id="s"), one("e2", 300, session_id="s")]
    assert rollup(entries).sessions == 1
    assert rollup([each._replace(label=None) for each in entries]).sessions == 2


def test_fold__of_a_gate__is_nothing_at_all():
    fold = Fold().add([one("e1", flags=GATE), one("e2", flags=GATE | COPY, label="ubob")])
    assert (fold.rollup(DAY), fold.labels) == (NOTHING, {})


def test_fold__of_internal_events_and_people_who_do_not_count__counts_them_apart():
    apart = [one("e1", 5, flags=INTERNAL), one("e2", 9, "!ukim", user_id="kim"), one("e3", 3, "!uann", COPY)]
    assert rollup(apart) == replace(NOTHING, not_counted=3)
    assert rollup([*apart, one("e4", 7)]) == replace(naive_rollup([event("e4", 7, user_id="ann")]), not_counted=3)


@given(distinct_events(), known_as)
def test_encode_rollup__with_events_that_do_not_count__is_read_back(events, known):
    found = rollup(labelled(events, known))
    assert decode_rollup(DAY, encode_rollup(found)) == found


def test_encode_rollup__where_everything_counts__has_no_word_of_what_does_not():
    assert '"x"' not in encode_rollup(rollup([one("e1")]))


@pytest.mark.parametrize("overhead", [0, 1000], ids=["in the tail", "in a block"])
def test_labels__of_a_log__are_those_that_ids_have_all_day(overhead):
    """A device may be several people's on one day, as its copies and some entries say; a gate is of another day."""
    device = {"user_id": None, "anonymous_id": "v"}
    entries = [
        one("e1", 1),
        one("e2", 2, "ukim", user_id="kim.old"),
        one("e3", 3, "uann", **device),
        one("e4", 4, "uann", PARTLY, user_id=None, anonymous_id="of two"),
        one("e5", 5, "uann", COPY, user_id=None, anonymous_id="unnamed"),
        one("e6", 6, "ubob", GATE),
        one("e7", 7, "ubob", GATE, **device),
        one("e8", 8, "ubob", GATE, user_id="gated"),
    ]
    made = append(DAY, NOTHING_SEALED, EMPTY_HEAD, entries, overhead, salt=b"")
    assert bool(made.blocks) == bool(overhead)
    assert labels(made.sealed, decode_head(DAY, made.log)) == {"uann": None, "ukim.old": "ukim", "av": "uann"}
