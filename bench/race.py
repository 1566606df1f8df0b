"""Judges that race each other over 200 random trees of caps while these are changed, one of them
killed: no cap is passed in any committed state, and nothing is refused that had room.

``race:50000``: so many clicks for each of the eight judges.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from arro3.io import read_parquet

from bench.cap_trees import Batch, Edit, Event, Faults, Tree, faults_of
from bench.figures import Figure
from bench.masters import new_records
from handbill.core.listing_tokens import Listing
from handbill.core.received import Received, ReceivedClick, click_of, encode
from handbill.host.clock import SetClock
from handbill.host.ids import SystemIds
from handbill.kit.instants import DAY, Instant
from handbill.ledger.checking import check
from handbill.ledger.judge import Judge
from handbill.ledger.runs import Rules
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalWriter
from handbill.store.journal_reading import JournalReader
from handbill.store.records import Records, Tx, open_records
from handbill.store.records.tables import (
    agencies,
    campaigns,
    clients,
    groups,
    jobs,
    publishers,
)

JUDGES, TREES, CLICKS = 8, 200, 50_000
NOW: Instant = 20_622 * DAY  # the 18th of a month
_DAYS = 3
_ZONES = ("UTC", "America/New_York", "Australia/Adelaide")
_RULES = Rules(30, "truncated", b"k" * 32)
_TOGETHER = 20  # in one record of the journal
_PAUSE_SECONDS = 0.01
_ENDED_SECONDS = 60
_ENDED = "ended"  # a file that ends all judges
_AT_ONCE = 10_000  # clicks that a judge takes up
_MOST_CHANGED = 40  # caps after a booking
_BATCHES = "SELECT count(*) FROM segments"  # one of each booking, as all is of one month
_ROWS = "SELECT coalesce(sum(rows), 0) FROM segments"
_PATHS = "SELECT path FROM segments ORDER BY no"
_NAMES = (
    "id",
    "at",
    "disposition",
    "client_no",
    "campaign_no",
    "group_no",
    "publisher_no",
    "job_id",
    "spend_micros",
)


class Racer(Judge):
    """Takes up as much after it was outrun as before: else all get slower and slower."""

    at_once = _AT_ONCE

    def step(self) -> int:
        self._most_events = self.at_once
        return super().step()


class Told(NamedTuple):
    """What came of a race. ``unbooked``: clicks that are not in the ledger once; ``books``: what
    ``ledger check`` finds.
    """

    faults: Faults
    unbooked: int
    dispositions: Counter[str]
    edits: int
    batches: int
    books: list[str]
    seconds: float


@dataclass
class Race:
    records: Records
    folder: Path
    trees: list[Tree]
    clicks: dict[bytes, ReceivedClick]
    chance: Random
    edits: int = 0

    def run(self, judges: int, at_once: int = _AT_ONCE) -> Told:
        """Let so many judge what waits, and one more that is killed."""
        began = time.perf_counter()
        context = get_context("forkserver")
        context.set_forkserver_preload([__name__])
        url = self.records.url.replace("+psycopg", "")
        racing = [
            context.Process(target=_judge, args=(url, str(self.folder), at_once))
            for _ in range(judges + 1)
        ]
        for process in racing:
            process.start()
        try:
            self._edit(racing)
        finally:
            (self.folder / _ENDED).touch()
            for process in racing:
                process.join(_ENDED_SECONDS)
                process.kill()
        assert [process.exitcode for process in racing] == [-9] + [0] * judges
        return self._told(time.perf_counter() - began)

    def _edit(self, racing: Sequence[Any]) -> None:
        """Change caps after each booking that is seen until all is judged; kill one judge half way.

        No more often, for a judge whose batch is outrun by every change gets nowhere.
        """
        seen, rows, victim = 0, 0, racing[0]
        while rows < len(self.clicks):
            assert all(process.is_alive() for process in racing if process is not victim)
            last, rows = self._asked(_BATCHES), self._asked(_ROWS)
            if rows * 2 > len(self.clicks) and victim.is_alive():
                victim.kill()
            if last <= seen:
                time.sleep(_PAUSE_SECONDS)
                continue
            seen = last
            time.sleep(self.chance.random() * _PAUSE_SECONDS * 10)
            for _ in range(self.chance.randint(1, _MOST_CHANGED)):
                self._change_one()

    def _change_one(self) -> None:
        tree = self.chance.choice(self.trees)
        state, where = tree.changed(self.chance)
        with self.records.write() as tx:
            before = _number(tx, _BATCHES)
            tree.write(tx, state, where, NOW + self.edits)
        tree.edits.append(Edit(state, before, self._asked(_BATCHES)))
        self.edits += 1

    def _asked(self, text: str) -> int:
        with self.records.read() as tx:
            return _number(tx, text)

    # ── what came of it ─────────────────────────────────────────────────────────────────────────

    def _told(self, seconds: float) -> Told:
        blobs = open_blobs(str(self.folder / "blobs"))
        with self.records.read() as tx:
            paths = [str(path) for (path,) in tx.run_text(_PATHS, {})[0]]
        trees = {tree.client_no: tree for tree in self.trees}
        told: dict[int, dict[int, Batch]] = defaultdict(dict)
        seen: Counter[bytes] = Counter()
        dispositions: Counter[str] = Counter()
        for no, path in enumerate(paths, 1):
            for id_, at, disposition, client_no, *place in _entries(blobs.get(path)):
                seen[id_] += 1
                dispositions[disposition] += 1
                click, tree = self.clicks[id_], trees[client_no]
                batch = told[client_no].setdefault(no, Batch(no, [], []))
                event = Event(
                    place[0], place[1], place[2], place[3], tree.day_of(at), click.bid_micros
                )
                is_charged = disposition == "valid"
                assert place[4] == (click.bid_micros if is_charged else 0)
                (batch.charged if is_charged else batch.refused).append(event)
        unsure = 0 if self.records.url.startswith("sqlite") else 1
        faults = [faults_of(tree, told[tree.client_no].values(), unsure) for tree in self.trees]
        return Told(
            Faults(sum(one.over for one in faults), sum(one.under for one in faults)),
            sum(seen[id_] != 1 for id_ in self.clicks) + len(seen.keys() - self.clicks.keys()),
            dispositions,
            self.edits,
            len(paths),
            check(self.records, blobs, self.folder / "scratch").faults,
            seconds,
        )


def _judge(url: str, folder: str, at_once: int) -> None:
    judge = Racer(
        open_records(url),
        open_blobs(f"{folder}/blobs"),
        JournalReader(Path(folder) / "journal"),
        SetClock(NOW),
        SystemIds(),
        _RULES,
        Path(folder) / "scratch",
    )
    judge.at_once = at_once
    stop = threading.Event()

    def look() -> None:
        """A shared lock could be held by the judge that is killed, and all would wait for it."""
        if (Path(folder) / _ENDED).exists():
            stop.set()

    judge.run(stop, look)


def _number(tx: Tx, text: str) -> int:
    return int(tx.run_text(text, {})[0][0][0])


def _entries(raw: bytes) -> Iterator[tuple[Any, ...]]:
    table = read_parquet(BytesIO(raw)).read_all()
    return zip(*(table[name].to_pylist() for name in _NAMES), strict=True)


# ── what is raced over ──────────────────────────────────────────────────────────────────────────


def made(records: Records, folder: Path, judges: int, trees: int, clicks: int, seed: int) -> Race:
    """Trees with caps, and a journal of so many clicks for each judge, in as many sources."""
    chance = Random(seed)
    race = Race(records, folder, [], {}, chance)
    with records.write() as tx:
        agency_no = tx.put(agencies, id="race", name="Race", currency="USD", created_at=1)
        names = {_put(tx, publishers, id=f"P{n}", agency_no=agency_no): f"P{n}" for n in range(3)}
        race.trees = [_tree(tx, chance, n, agency_no, names) for n in range(trees)]
    for n in range(judges):
        writer = JournalWriter(folder / "journal", f"edge-{n}", SystemIds())
        for first in range(0, clicks, _TOGETHER):
            some: list[Received] = [
                _click(race, chance) for _ in range(min(_TOGETHER, clicks - first))
            ]
            writer.append_now(encode(some))
        writer.close()
    with records.write() as tx:
        for tree in race.trees:
            tree.edits = [Edit(tree.first(chance), -1, -1)]
            for where in sorted(tree.demand):
                tree.write(tx, tree.edits[0].state, where, 1)
    return race


def _put(tx: Tx, table: Any, **columns: Any) -> int:
    return tx.put(table, status="A", body='{"name":"-"}', created_at=1, updated_at=1, **columns)


def _tree(tx: Tx, chance: Random, n: int, agency_no: int, names: dict[int, str]) -> Tree:
    zone = chance.choice(_ZONES)
    client_no = _put(tx, clients, id=f"c{n}", agency_no=agency_no, zone=zone, pixel_id=f"px{n}")
    tree = Tree(f"c{n}", client_no, zone, names)
    for k in range(chance.randint(1, 2)):
        campaign_no = _put(tx, campaigns, id=f"{n}-{k}", client_no=client_no, is_default=0)
        for g in range(chance.randint(1, 2)):
            group_no = _put(
                tx,
                groups,
                id=f"{n}-{k}-{g}",
                client_no=client_no,
                campaign_no=campaign_no,
                is_default=0,
                priority=1,
            )
            tree.groups[group_no] = campaign_no
            for _ in range(chance.randint(1, 3)):
                job = chance.randbytes(16).hex()
                tree.jobs[job] = group_no
                _job(tx, client_no, job)
    return tree


def _job(tx: Tx, client_no: int, job: str) -> None:
    texts = ("title", "company", "category", "city", "state", "country", "zip", "type", "url")
    tx.put(
        jobs,
        client_no=client_no,
        id=job,
        ref=job,
        digest=b"",
        valid=1,
        status="A",
        cpc_currency="",
        created_at=1,
        updated_at=1,
        **dict.fromkeys(texts, ""),
    )


def _click(race: Race, chance: Random) -> ReceivedClick:
    """By a visitor of its own, on one of three days."""
    tree = chance.choice(race.trees)
    job = chance.choice(list(tree.jobs))
    group_no, publisher_no = tree.jobs[job], chance.choice(list(tree.publishers))
    micros = chance.randrange(1, 200) * 10_000
    listing = Listing(
        client_no=tree.client_no,
        campaign_no=tree.groups[group_no],
        group_no=group_no,
        publisher_no=publisher_no,
        job_id=bytes.fromhex(job),
        bid_type="CPC",
        bid_micros=micros,
        price_micros=micros,
    )
    at = NOW - DAY * chance.randrange(1, _DAYS * 24) // 24
    event = Event(listing.campaign_no, group_no, publisher_no, job, tree.day_of(at), micros)
    for where in event.below():
        tree.demand[where] += event.need(where.measure)
    number = len(race.clicks)
    ip = f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    click = click_of(chance.randbytes(16), at, listing, ip, "Mozilla/5.0 (X11) Firefox/140.0")
    race.clicks[click.random] = click
    return click


def run(clicks: int = CLICKS) -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as name:
        folder = Path(name)
        records = new_records(folder)
        race = made(records, folder, JUDGES, TREES, clicks, seed=1)
        told = race.run(JUDGES)
        engine = records.url.partition(":")[0]
        records.close()
    assert told.books == [], told.books
    assert told.unbooked == 0, told.unbooked
    charged, refused = told.dispositions["valid"], told.dispositions["over_cap"]
    note = (
        f"{engine}: {JUDGES} judges and one killed, {TREES} trees, {len(race.clicks):,} clicks, "
        f"{charged:,} charged, {refused:,} refused, {told.batches:,} batches, {told.edits:,} caps "
        f"changed meanwhile, {told.seconds:,.0f} s"
    )
    over, under = told.faults
    return [
        Figure("race: caps passed", over, "", "0", over == 0, note),
        Figure("race: refused with room", under, "clicks", "0", under == 0, note),
    ]
