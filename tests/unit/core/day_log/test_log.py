"""The day log: what one commit writes, and that the figures are those of the distinct events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.day_log import log as daylog
from healthscore.core.day_log.codec import entry
from healthscore.core.day_log.log import EMPTY_HEAD, HEAD_BYTES, NOTHING_SEALED, append, decode_head, resolve
from healthscore.core.day_log.rollup import decode_rollup, encode_rollup
from tests.support.events import DAY, distinct_events, event, naive_rollup

OVERHEAD = 80


class Log:
    """A day's log as storage would keep it: a head, and every block ever written."""

    def __init__(self) -> None:
        self.head = EMPTY_HEAD
        self.rollup: str | None = None
        self.blocks: dict[bytes, bytes] = {}
        self.head_sizes: list[int] = []

    def add(self, events) -> int:
        sealed = resolve(DAY, self.head, NOTHING_SEALED, self.blocks)
        made = append(DAY, sealed, self.head, [entry(one) for one in events], OVERHEAD, salt=b"")
        if made is None:
            return 0
        self.blocks.update({block.token: block.data for block in made.blocks})
        self.head, self.rollup = decode_head(DAY, made.log), made.rollup
        self.head_sizes.append(OVERHEAD + len(made.rollup.encode()) + len(made.log))
        return len(made.fresh)


@given(distinct_events(max_size=120), st.data())
def test_rollup__of_events_in_any_order_batches_and_repetition__is_that_of_the_distinct_events(events, data):
    deliveries = data.draw(st.permutations(events)) + data.draw(st.lists(st.sampled_from(events), max_size=30))
    log = Log()
    accepted = 0
    while deliveries:
        size = data.draw(st.integers(1, 40))
        accepted += log.add(deliveries[:size])
        deliveries = deliveries[size:]
    assert accepted == len(events)
    assert decode_rollup(DAY, log.rollup) == naive_rollup(events)


def test_append__of_known_events_only__has_nothing_to_write():
    log = Log()
    log.add([event("e1"), event("e2")])
    sealed = resolve(DAY, log.head, NOTHING_SEALED, log.blocks)
    assert append(DAY, sealed, log.head, [entry(event("e2")), entry(event("e1"))], OVERHEAD, salt=b"") is None


def test_append__of_an_id_twice_in_one_batch__counts_the_first():
    log = Log()
    assert log.add([event("e1", 5), event("e1", 9)]) == 1
    assert decode_rollup(DAY, log.rollup) == naive_rollup([event("e1", 5)])


def test_head__of_a_day_of_five_thousand_events__stays_within_a_write_unit():
    log = Log()
    for start in range(0, 5_000, 100):
        log.add(
            [
                event(f"e{i}", i / 4, user_id=f"user-{i % 100}", session_id=f"s{i % 100}")
                for i in range(start, start + 100)
            ]
        )
    assert decode_rollup(DAY, log.rollup).events == 5_000
    assert max(log.head_sizes) <= HEAD_BYTES


def test_blocks__that_no_head_leads_to__do_not_count():
    log = Log()
    log.add([event(f"e{i}") for i in range(200)])
    loser = append(
        DAY,
        resolve(DAY, log.head, NOTHING_SEALED, log.blocks),
        log.head,
        [entry(event(f"lost{i}")) for i in range(200)],
        OVERHEAD,
        salt=b"",
    )
    log.blocks.update({block.token: block.data for block in loser.blocks})
    log.add([event("last")])
    assert decode_rollup(DAY, log.rollup).events == 201


def test_resolve__from_what_is_known__reads_only_the_blocks_behind_it():
    log = Log()
    log.add([event(f"a{i}") for i in range(200)])
    known = resolve(DAY, log.head, NOTHING_SEALED, log.blocks)
    before = set(log.blocks)
    log.add([event(f"b{i}") for i in range(200)])
    behind = {token: data for token, data in log.blocks.items() if token not in before}
    resolved = resolve(DAY, log.head, known, behind)
    from_scratch = resolve(DAY, log.head, NOTHING_SEALED, log.blocks)
    ids = [entry(event(f"{batch}{i}")).id for batch in "ab" for i in range(200)]
    held = [id_ for id_ in ids if id_ in resolved.seen]
    assert held == [id_ for id_ in ids if id_ in from_scratch.seen]
    assert len(held) == len(resolved.seen) == len(from_scratch.seen) > 200


def test_resolve__without_a_block_that_the_head_leads_to__names_it():
    log = Log()
    log.add([event(f"e{i}") for i in range(200)])
    with pytest.raises(daylog.MissingBlockError, match=log.head.token.hex()):
        resolve(DAY, log.head, NOTHING_SEALED, {})


def test_resolve__from_a_part_of_another_log__starts_over():
    other, log = Log(), Log()
    other.add([event(f"x{i}") for i in range(200)])
    stale = resolve(DAY, other.head, NOTHING_SEALED, other.blocks)
    log.add([event(f"e{i}") for i in range(200)])
    seen = resolve(DAY, log.head, stale, log.blocks).seen
    assert len(seen) == 200
    assert all(entry(event(f"e{i}")).id in seen for i in range(200))


def test_walk_blocks__of_a_sealed_log__passes_every_entry_once_and_counts_down():
    log = Log()
    events = [event(f"e{i}", i) for i in range(300)]
    log.add(events[:260])
    log.add(events[260:])
    way = list(daylog.walk_blocks(DAY, log.head, log.blocks))
    assert [position for position, _, _ in way] == list(range(log.head.blocks, 0, -1))
    passed = [*log.head.tail, *(one for _, _, part in way for one in part)]
    assert sorted(passed) == sorted(entry(one) for one in events)


def test_decode_head__of_another_format__is_refused():
    log = Log()
    log.add([event("e1")])
    made = append(DAY, NOTHING_SEALED, EMPTY_HEAD, [entry(event("e1"))], OVERHEAD, salt=b"")
    with pytest.raises(ValueError, match="format 9"):
        decode_head(DAY, b"\x09" + made.log[1:])


def test_rollup__of_more_names_than_there_is_room_for__keeps_the_most_frequent_and_sums_the_rest():
    events = [event(f"e{i}", name="login") for i in range(3)]
    events += [event(f"n{i}", name=f"page {i:04d} viewed") for i in range(500)]
    log = Log()
    log.add(events)
    names = decode_rollup(DAY, log.rollup).names
    assert next(iter(names)) == "login"
    assert names["login"].count == 3
    assert sum(counted.count for counted in names.values()) == 503
    assert names[""].count > 400
    assert len(log.rollup) < 600


@given(distinct_events())
def test_encode_rollup__read_back__is_the_same(events):
    rollup = naive_rollup(events)
    assert decode_rollup(DAY, encode_rollup(rollup)) == rollup
