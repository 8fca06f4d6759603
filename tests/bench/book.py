"""The CPU of a page of the book: a night of many accounts, with what has changed since laid over it."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import duckdb

from healthscore.core.dataset.columns import COLUMNS, SCHEMA, Type
from healthscore.core.dataset.manifest import Manifest, Part
from healthscore.core.dataset.question import SHOWN, Filter, Order, Question
from healthscore.dataset.book import Asked, Book
from healthscore.dataset.overlay import Overlay
from healthscore.dataset.reader import Reader
from healthscore.storage.nights import manifests
from tests.bench import older
from tests.bench.customers import PAGE, customer
from tests.bench.engine import metered
from tests.bench.measuring import Section, Table, cpu_ms, side_by_side, verdict
from tests.support.gateway import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TARGETS = {100_000: 100, 1_000_000: 400}
"""CPU milliseconds of a page of a warm function."""
COLD = 1500
_MADE_UP = {
    "account_id": "'account-' || md5('x' || i)[:12]",
    "name": "'Company ' || md5(i::VARCHAR)[:8] || CASE WHEN i % 7 = 0 THEN ' Müller & Söhne' ELSE ' Trading Ltd' END",
    "owner": "'Owner ' || (i % 100)",
    "band": "CASE i % 3 WHEN 0 THEN 'healthy' WHEN 1 THEN 'at_risk' ELSE 'critical' END",
    "score": "(hash(i) % 101)::BIGINT",
    "arr": "CASE WHEN i % 9 > 0 THEN (hash(i) % 100000)::DOUBLE END",
    "fell": "CASE WHEN i % 4 = 0 THEN 'activity' WHEN i % 4 = 1 THEN 'engagement' END",
    "fell_points": "CASE WHEN i % 4 < 2 THEN (hash(i) % 200) / 10 END",
    "why": "CASE WHEN i % 4 < 2 THEN 'Activity fell from ' || hash(i) % 100 || ' to 0 since 2026-11-13.' END",
    "recent": "left(md5(i::VARCHAR) || md5((i % 77)::VARCHAR), 40)",
    "attributes": '\'{"region":"emea"}\'',
    "findings": "'[]'",
}
_OF_TYPE = {
    Type.TEXT: "'text ' || (i % 5)",
    Type.WHOLE: "(hash(i + 1) % 100)::BIGINT",
    Type.NUMBER: "round((hash(i + 2) % 100000) / 1000.0, 3)",
    Type.FLAG: "i % 2 = 0",
    Type.DAY: "DATE '2026-11-20' + (i % 30)::INTEGER",
    Type.INSTANT: "TIMESTAMPTZ '2026-11-20 00:00:00+00' - to_seconds((hash(i) % 2000000)::BIGINT)",
}
_QUESTIONS = {
    "lowest score first": Question(orders=(Order(SHOWN["score"]),)),
    "by ARR, then name": Question(orders=(Order(SHOWN["arr"], descending=True), Order(SHOWN["name"]))),
    "of an owner": Question((Filter(SHOWN["owner"], ("Owner 5",)),), orders=(Order(SHOWN["arr"], descending=True),)),
    "of an ARR, by last event": Question(
        (Filter(SHOWN["arr"], least=1000.0, most=60_000.0),), orders=(Order(SHOWN["last_seen_at"]),)
    ),
    "a part of the name": Question(q="muller", orders=(Order(SHOWN["score"]),)),
}


def measure(
    *,
    accounts: Sequence[int] = (100_000, 1_000_000),
    changed: Sequence[int] = (0, 1000, 5000),
    beside: int = 5000,
    rounds: int = 5,
) -> Section:
    """Ask for pages of nights of so many accounts, with so many changed; and of fewer beside an older version."""
    rows, colds, later, worst, figures = [], [], [], {}, {}
    for number in accounts:
        with tempfile.TemporaryDirectory() as folder, closing(Reader()) as reader:
            night = _night(number, Path(folder), reader)
            cold = cpu_ms(_page(reader, night, _QUESTIONS["lowest score first"]))
            colds.append([f"{number:,}", f"{cold:.0f}", verdict(cold, COLD) if number == min(accounts) else ""])
            for version, many in enumerate(changed, start=1):
                reader.lay(_overlay(many, version, Path(folder) / "night.parquet"))
                pages = {name: _page(reader, night, question) for name, question in _QUESTIONS.items()}
                taken = side_by_side(pages, rounds)
                rows += [[f"{number:,}", f"{many:,}", name, f"{ms:.0f}"] for name, ms in taken.items()]
                worst[number] = max(worst.get(number, 0.0), *taken.values())
            began = _overlay(max(changed) // 5, 0, Path(folder) / "night.parquet")
            taken = side_by_side(_later_pages(reader, night, began), rounds)
            later += [[f"{number:,}", name, f"{ms:.0f}", _verdict(ms, number)] for name, ms in taken.items()]
            figures[f"later pages of {number}"] = max(taken.values())
    kept = ", ".join(
        f"{ms:.0f} ms at {number:,} accounts (target {TARGETS[number]}: {verdict(ms, TARGETS[number])})"
        for number, ms in worst.items()
        if number in TARGETS
    )
    figures |= {f"book {number}": ms for number, ms in worst.items()}
    blocks = [
        _ABOUT.format(page=PAGE, worst=kept),
        Table(["accounts", "changed since", "asked for", "CPU ms"], rows),
        _ABOUT_LATER.format(before=max(changed) // 5, now=max(changed)),
        Table(["accounts", "asked for", "CPU ms", "target"], later),
        _ABOUT_COLD,
        Table(["accounts", "CPU ms", "target"], colds),
        *_beside_older(beside, rounds),
    ]
    return Section("A page of the book", blocks, figures)


def _night(accounts: int, folder: Path, reader: Reader) -> Manifest:
    """A night of made-up accounts, in a file on the reader's disk."""
    path = folder / "night.parquet"
    columns = ", ".join(f'{_MADE_UP.get(one.name, _OF_TYPE[one.type])} AS "{one.name}"' for one in COLUMNS)
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute("SET TimeZone = 'UTC'")
        database.execute(
            f"COPY (SELECT {columns} FROM range({accounts}) AS made(i) ORDER BY md5(account_id)) TO '{path}' "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 8192)"
        )
    part = Part("account_nights/night=2026-11-20/part-0000-made.parquet", accounts, path.stat().st_size, "")
    shutil.copy(path, reader.parts.folder / "part-0000-made.parquet")
    return Manifest(date(2026, 11, 20), datetime(2026, 11, 20, 2, tzinfo=UTC), "made", SCHEMA, (part,))


def _overlay(many: int, version: int, path: Path) -> Overlay:
    """Some of the night's accounts, as if they had changed."""
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        names = ", ".join(f'"{one.name}"::VARCHAR' for one in COLUMNS)
        found = database.execute(f"SELECT {names} FROM read_parquet('{path}') LIMIT {many}").fetchall()
    lines = [dict(zip((one.name for one in COLUMNS), row, strict=True)) for row in found]
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return Overlay(version, tuple(line["account_id"] for line in lines), (), text, str(version))


def _page(reader: Reader, night: Manifest, question: Question) -> Callable[[], object]:
    def ask() -> object:
        rows = reader.present(night)
        return reader.page(question, rows, rows, PAGE + 1, None)

    return ask


def _verdict(ms: float, accounts: int) -> str:
    return verdict(ms, TARGETS[accounts]) if accounts in TARGETS else ""


def _later_pages(reader: Reader, night: Manifest, began: Overlay) -> dict[str, Callable[[], object]]:
    """The second pages of walks that began when less had changed."""
    reader.freeze("as it began", began.lines)

    def ask(question: Question) -> Callable[[], object]:
        rows = reader.present(night)
        last = reader.page(question, rows, rows, PAGE, None)[-1]
        after = (last.keys, last.account_id)
        return lambda: reader.page(question, reader.present(night), reader.began(night, 0), PAGE + 1, after)

    return {name: ask(question) for name, question in _QUESTIONS.items()}


def _beside_older(accounts: int, rounds: int) -> list[object]:
    """Pages of the same accounts by the version with five indexes, and by this one."""
    tree = older.checkout()
    if tree is None:
        return [older.NOT_AT_HAND]
    with ExitStack() as running:
        before = older.Version("five-indexes", tree, ["tests.bench.older_book", str(accounts)], running)
        book = running.enter_context(_book(accounts))
        rows = []
        for name, question in _BESIDE.items():
            asked = Asked(question, None, PAGE, None)
            assert len(book.page(asked, NOW).rows) == PAGE
            was = [before.answer(name) for _ in range(rounds)]
            taken = median(cpu_ms(lambda asked=asked: book.page(asked, NOW)) for _ in range(rounds))
            with metered() as counted:
                book.page(asked, NOW)
            row = [f"{median(one['cpu'] for one in was):.0f}", f"{taken:.0f}"]
            row += [f"{was[0]['calls']:.0f}", f"{counted.calls}", f"{was[0]['reads']:g}", f"{counted.reads:g}"]
            rows.append([name, *row])
    headings = ["asked for", "CPU ms before", "now", "calls before", "now", "read units before", "now"]
    return [_ABOUT_BESIDE.format(commit=older.COMMIT, accounts=accounts), Table(headings, rows)]


@contextmanager
def _book(accounts: int) -> Iterator[Book]:
    """The book of a night of customers, whose files are at hand, as on a warm function."""
    reader, book = Reader(), Book()
    book._reader = reader
    with closing(reader), tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.ndjson"
        night = {"night": "2026-11-20", "as_of": "2026-11-20T02:00:00Z", "recorded_at": "2026-11-20T02:00:00Z"}
        rows.write_text("".join(f"{json.dumps({**customer(number), **night})}\n" for number in range(accounts)))
        path = Path(folder) / "night.parquet"
        types = {column.name: column.type.value for column in COLUMNS}
        with duckdb.connect(config={"threads": 1}) as database:
            found = database.read_json(str(rows), columns=types, format="newline_delimited")
            found.write_parquet(str(path), compression="zstd")
        shutil.copy(path, reader.parts.folder / "part-0000-made.parquet")
        part = Part("account_nights/night=2026-11-20/part-0000-made.parquet", accounts, path.stat().st_size, "")
        day, at = date(2026, 11, 20), datetime(2026, 11, 20, 2, tzinfo=UTC)
        held = manifests.lock(day, at, at + timedelta(minutes=15))
        manifests.unlock(manifests.commit(held, Manifest(day, at, "made", SCHEMA, (part,))))
        yield book


_ABOUT = """The CPU of a page of {page} accounts on one thread, by a warm function that has the night's files; calls of
AWS are not in it. The dearest page took {worst}. Accounts have all columns of the dataset; those that have changed
since the night are laid over it."""
_BESIDE = {
    "lowest score first": Question(orders=(Order(SHOWN["score"]),)),
    "critical ones, by name": Question((Filter(SHOWN["band"], ("critical",)),), orders=(Order(SHOWN["name"]),)),
    "of an owner, by ARR": Question((Filter(SHOWN["owner"], ("Owner 5",)),), orders=(Order(SHOWN["arr"]),)),
    "a word of the name": Question(q="muller", orders=(Order(SHOWN["score"]),)),
}
"""As `older_book.QUESTIONS`."""
_ABOUT_BESIDE = """Beside the version of `{commit}`, which read the book from five indexes and search words: the first
page of {accounts:,} accounts of which none has changed since the night, with the calls of DynamoDB. That version has
four orders, one at a time, and filters by five fields; this one has any of both. A night writes nothing for it
([a night](#a-night))."""
_ABOUT_LATER = """The second page of a walk whose book has changed since it began, from {before:,} changed accounts to
{now:,}: accounts keep the places that they had then, and are shown as they are now."""
_ABOUT_COLD = """The first page of a function that has fetched the files: it makes tables of them, which later pages
read."""
