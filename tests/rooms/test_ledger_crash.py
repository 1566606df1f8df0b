"""Each event is booked exactly once, wherever the judge is cut short, and by however many."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from handbill.core.nouns import Cap, Caps, ClientBody
from handbill.host.ids import SystemIds
from handbill.kit.instants import DAY, MINUTE
from handbill.ledger import counter_rows
from handbill.ledger.checking import check
from handbill.store import segments
from handbill.store.blobs import FolderBlobs
from handbill.store.records import Records, Tx, open_records
from handbill.store.records.base import Row
from handbill.store.records.tables import clients, metadata
from market import BOT_AGENT, START, Market, dispositions


class Cut(BaseException):
    """The process ends here. Not an Exception, so that nobody can recover from it."""


class CutTx(Tx):
    """A transaction that calls ``at`` before each statement, numbered from 1."""

    def __init__(self, tx: Tx, at: Callable[[int], None]) -> None:
        self._tx = tx
        self._at = at
        self.dialect = tx.dialect
        self.count = 0

    def _next(self) -> None:
        self.count += 1
        self._at(self.count)

    def run_text(self, text: str, params: dict[str, Any]) -> tuple[list[Row], int]:
        self._next()
        return self._tx.run_text(text, params)

    def run_text_many(self, text: str, rows: Iterable[dict[str, Any]]) -> None:
        self._next()
        self._tx.run_text_many(text, rows)

    def part(self, work: Callable[[Tx], Any]) -> Any:
        return self._tx.part(lambda _: work(self))

    def set_next_no(self, table: Any, number: int) -> None:
        self._next()
        self._tx.set_next_no(table, number)

    def stream(self, statement: Any, **params: Any) -> Iterator[Row]:
        return self._tx.stream(statement, **params)


class CutRecords(Records):
    """Records whose writes are cut at one statement; -1: after the commit."""

    def __init__(self, records: Records, at: int, cut: Callable[[], None]) -> None:
        self._records = records
        self._at = at
        self._cut = cut
        self.armed = False
        self.statements = 0

    def _check(self, number: int) -> None:
        self.statements = number
        if self.armed and number == self._at:
            self._cut()

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._records.write() as tx:
            yield CutTx(tx, self._check)
        if self.armed and self._at == -1:
            self._cut()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self._records.read() as tx:
            # Without it, all that a step may have to read again is read again, on every engine.
            tx.memory = lambda: None  # type: ignore[method-assign]
            yield tx

    @property
    def url(self) -> str:
        return self._records.url


class HookedBlobs(FolderBlobs):
    """A folder of blobs that does something before or after the first put."""

    def __init__(self, root: Path, *, before: Any = None, after: Any = None) -> None:
        super().__init__(root)
        self._before, self._after = before, after

    def put(self, path: str, content: bytes) -> None:
        before, self._before = self._before, None
        if before:
            before()
        super().put(path, content)
        after, self._after = self._after, None
        if after:
            after()


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def fill(market: Market) -> None:
    """Two clients, one nearly at its cap; every kind of event."""
    publisher_no = market.publisher()
    for name in ("c1", "c2"):
        client_no = market.client(name, caps=Caps(budget=Cap("Monthly", 2_000_000)))
        listing = market.listing(client_no=client_no, publisher_no=publisher_no)
        for n in range(3):
            click = market.clicked(listing, at=START + n)
            market.converted(click, 3, f"app-{n % 2}", at=START + MINUTE + n)
        market.clicked(listing, agent=BOT_AGENT)
        market.clicked(listing, at=START, ip="198.51.100.1")
        market.clicked(listing, at=START + 1, ip="198.51.100.1")
        lost, _ = market.click(listing)
        market.converted(lost, 2)


def whole(market: Market) -> None:
    """The ledger is what an undisturbed judge makes of the journal, and the books balance."""
    assert sorted(dispositions(market.judged())) == sorted(
        ["valid"] * 4 + ["over_cap"] * 4 + ["bot"] * 2 + ["duplicate"] * 4 + ["counted"] * 4
    )
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []
    assert (books.sums["received"], books.sums["parked"]) == (20, 2)
    assert books.sums["spendMicros"] == 4_000_000


def cut() -> None:
    raise Cut


def kept(market: Market) -> dict[str, list[Row]]:
    """All rows of all tables."""
    with market.records.read() as tx:
        return {
            table.name: tx.run_text(f'SELECT * FROM "{table.name}" ORDER BY 1, 2', {})[0]
            for table in metadata.sorted_tables
        }


def test_cut_at_any_statement(market: Market) -> None:
    """Nothing is kept, whichever it was; the judge that comes after them all books it once."""
    fill(market)
    market.judge()  # the first one makes what all of them hold
    before, at = kept(market), 0
    while True:
        at += 1
        records = CutRecords(market.records, at, cut)
        judge = market.judge(records=records)
        records.armed = True
        try:
            judge.step()
        except Cut:
            assert kept(market) == before, at
            continue
        break
    assert at > 36, "what a step over this market runs"
    whole(market)


def test_cut_after_it_was_kept(market: Market) -> None:
    fill(market)
    records = CutRecords(market.records, -1, cut)
    judge = market.judge(records=records)
    records.armed = True
    with pytest.raises(Cut):
        judge.step()
    whole(market)


@pytest.mark.parametrize("when", ["before", "after"])
def test_cut_while_segments_are_written(market: Market, when: str) -> None:
    fill(market)
    how: dict[str, Any] = {when: cut}
    judge = market.judge(blobs=HookedBlobs(market.folder / "blobs", **how))
    with pytest.raises(Cut):
        judge.step()
    whole(market)
    left = len(market.blobs.paths("segments"))
    segments.sweep(market.records, market.blobs, START + 2 * DAY)
    with market.records.read() as tx:
        listed = tx.run_text("SELECT path FROM segments ORDER BY path", {})[0]
    assert market.blobs.paths("segments") == [path for (path,) in listed]
    assert left > len(listed) or when == "before"  # a cut writer may have kept all from starting
    whole(market)


def test_two_judges_book_a_batch_once(market: Market) -> None:
    fill(market)
    other = market.judge()
    slow = market.judge(blobs=HookedBlobs(market.folder / "blobs", before=other.step))
    assert slow.step() == 0
    assert slow.step() == 0
    # What the slow one wrote is gone again.
    with market.records.read() as tx:
        listed = tx.run_text("SELECT path FROM segments ORDER BY path", {})[0]
    assert market.blobs.paths("segments") == [path for (path,) in listed]
    whole(market)


def test_a_cap_lowered_while_a_batch_is_judged_holds_for_it(market: Market) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Monthly", 5_000_000)))
    market.clicked(listing)

    def lower() -> None:
        body = ClientBody(
            company_name="c1", exported_name="c1", caps=Caps(budget=Cap("Monthly", 0))
        )
        market.change(clients, listing.client_no, body)

    judge = market.judge(blobs=HookedBlobs(market.folder / "blobs", before=lower))
    assert judge.step() == 0
    assert judge.step() == 1
    assert dispositions(market.ledger()) == ["over_cap"]


def test_a_cap_lowered_while_a_batch_is_booked_holds_for_it(
    postgres_records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite nobody else can write by then."""
    market = Market(postgres_records, tmp_path)
    listing = market.listing(caps=Caps(budget=Cap("Monthly", 5_000_000)))
    market.clicked(listing)
    add_counters = counter_rows.add_counters
    lowered = ClientBody(company_name="c1", exported_name="c1", caps=Caps(budget=Cap("Monthly", 0)))

    def last(*args: Any) -> None:
        monkeypatch.undo()
        add_counters(*args)
        with ThreadPoolExecutor(1) as another:
            another.submit(market.change, clients, listing.client_no, lowered).result(60)

    monkeypatch.setattr(counter_rows, "add_counters", last)
    judge = market.judge()
    assert judge.step() == 0
    assert judge.step() == 1
    assert dispositions(market.ledger()) == ["over_cap"]


def test_a_judge_that_slept_too_long_books_nothing(market: Market) -> None:
    fill(market)
    judge = market.judge(
        blobs=HookedBlobs(market.folder / "blobs", after=lambda: market.clock.forward(11 * MINUTE))
    )
    assert judge.step() == 0
    whole(market)


_KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from market import RULES
from test_ledger_crash import CutRecords
from handbill.host.clock import SetClock
from handbill.host.ids import SystemIds
from handbill.ledger.judge import Judge
from handbill.store.blobs import open_blobs
from handbill.store.journal_reading import JournalReader
from handbill.store.records import open_records
folder = Path(sys.argv[1])

def step(at):
    records = CutRecords(
        open_records(f"sqlite:///{folder / 'records.db'}"), at,
        lambda: os.kill(os.getpid(), signal.SIGKILL),
    )
    judge = Judge(
        records, open_blobs(str(folder / "blobs")), JournalReader(folder / "journal"),
        SetClock(int(os.environ["NOW"])), SystemIds(), RULES,
    )
    records.armed = True
    judge.step()

assert len(os.listdir("/proc/self/task")) == 1, "a child of fork has one thread only"
for at in (7, 13, -1):
    child = os.fork()
    if not child:
        try:
            step(at)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
"""


def test_kill_9(sqlite_records: Records, tmp_path: Path) -> None:
    """Twice in the middle, and after all was kept."""
    from handbill.store.journal import JournalWriter
    from handbill.store.journal_reading import JournalReader

    market = Market(sqlite_records, tmp_path)
    fill(market)
    for source, lines in market.journal.sources.items():
        writer = JournalWriter(tmp_path / "journal", source, SystemIds())
        for line in lines:
            writer.append_now(line)
        writer.close()
    here = Path(__file__).parent
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), str(here), str(here.parent)],
        env=os.environ | {"NOW": str(START)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert killed.stdout.split() == [str(-signal.SIGKILL)] * 3, killed.stderr
    market.records = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    market.journal = JournalReader(tmp_path / "journal")  # type: ignore[assignment]
    whole(market)
    market.records.close()
