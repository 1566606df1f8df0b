"""The copy that each publisher has of its file: who fetched which version when, for some time.

The edge reports each fetch through the journal, a delivery of itself. Repeated, a fetch is one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.pacing import copies as pacing
from handbill.core.pacing.copies import (
    DELIVERED,
    LEAST_GAP,
    Fetch,
    ShownCopy,
    Taken,
    held_of,
    own_fetches,
    taken_of,
    unfetched,
)
from handbill.core.received import ReceivedFetch
from handbill.kit.instants import Instant
from handbill.listings.service import ALL_CLIENTS
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import copies, feed_files, fetches

KEPT: Final = 20
"""Fetches of each file."""
_HANDED, _HAD = 200, 304

_f, _c, _t = feed_files.c, fetches.c, copies.c
_FILES_NAMED = sa.select(_f.name, _f.no).where(among(_f.name, "names"))
_RECENT = sa.select(_c.file_no, _c.reader, _c.version, _c.at).where(
    among(_c.file_no, "nos"), _c.at > b("after")
)
_FETCHES = (
    sa.select(_c.file_no, _c.at, _c.version, _c.status, _c.reader)
    .where(among(_c.file_no, "nos"))
    .order_by(_c.file_no, _c.at, _c.version)
)
_FILES_OF_ONE = sa.select(_f.no).where(
    among(_f.publisher_no, "nos"), among(_f.client_no, "clients")
)
_TAKEN = (_t.version, _t.fetched_at, _t.due_at, _t.reader)
_EVERY = (
    sa.select(_f.publisher_no, _f.client_no, _f.job_count, _f.since_at, _f.written_at, *_TAKEN)
    .select_from(feed_files.outerjoin(copies, _t.file_no == _f.no))
    .order_by(_f.no)
)
_OF_ONE = _EVERY.where(among(_f.publisher_no, "nos"), among(_f.client_no, "clients"))
_OF_PUBLISHERS = _EVERY.where(among(_f.publisher_no, "nos"))
_AWAITED = _EVERY.where(_t.due_at <= b("by"))
_SHOWING = sa.select(_f.publisher_no).where(_f.job_count > sa.literal_column("0")).distinct()
_newer = fetches.alias("newer")
_OLDEST_KEPT = (
    sa.select(_newer.c.at)
    .where(_newer.c.file_no == _c.file_no)
    .order_by(_newer.c.at.desc())
    .limit(sa.literal_column("1"))
    .offset(sa.literal_column(str(KEPT - 1)))
    .scalar_subquery()
)
# Most files have no more than are kept: of the others alone, each fetch is looked at.
_TOO_MANY = (
    sa.select(_c.file_no)
    .group_by(_c.file_no)
    .having(sa.func.count() > sa.literal_column(str(KEPT)))
)
_OLD = (
    sa.select(_c.file_no, _c.at, _c.version)
    .where(_c.file_no.in_(_TOO_MANY), _c.at < _OLDEST_KEPT)
    .limit(b("most", type_=sa.Integer))
)
_FORGET = sa.delete(fetches).where(sa.tuple_(_c.file_no, _c.at, _c.version).in_(_OLD))


class Copy(NamedTuple):
    """What is held of one file; ``client_no`` 0: of the file of all clients. ``written_at``: the
    version that the file has now; None: it was never written.
    """

    publisher_no: int
    client_no: int
    job_count: int
    written_at: Instant | None
    held: ShownCopy


def note(tx: Tx, handed: Iterable[ReceivedFetch]) -> None:
    """Store the fetches that the edge reports. A fetch of the same version by the same program
    within minutes is ignored; so is one of a file that does not exist (any more).
    """
    named = sorted(handed, key=lambda one: one.at)
    if not named:
        return
    rows = tx.all(_FILES_NAMED, names=Listed({one.name for one in named}))
    nos: dict[str, int] = dict(rows)
    after = named[0].at - LEAST_GAP
    latest: dict[tuple[int, str, Instant], Instant] = {}
    for no, reader, version, at in tx.all(_RECENT, nos=Listed(nos.values()), after=after):
        latest[no, reader, version] = max(at, latest.get((no, reader, version), 0))
    kept = []
    for one in named:
        if one.name in nos:
            key = nos[one.name], one.reader, one.version
            if one.at - latest.get(key, -LEAST_GAP) >= LEAST_GAP:
                latest[key] = one.at
                kept.append(_row(key[0], one.at, one.version, one.status, one.reader))
    _put(tx, kept)


def note_delivery(tx: Tx, file_no: int, version: Instant, now: Instant) -> None:
    """Note that a file was brought to its publisher."""
    _put(tx, [_row(file_no, now, version, _HANDED, DELIVERED)])


def held(
    tx: Tx, publisher_nos: Iterable[int], now: Instant, client_no: int = ALL_CLIENTS
) -> dict[int, ShownCopy]:
    """What each publisher with a file holds of it, chosen as by ``fetched_last``."""
    latest = fetched_last(tx, publisher_nos, now, client_no)
    return {no: copy.held for no, copy in latest.items()}


def fetched_last(
    tx: Tx, publisher_nos: Iterable[int], now: Instant, client_no: int
) -> dict[int, Copy]:
    """The copy of each publisher that has a file. If it has a file of this client and one of all
    clients: the copy that it fetched last.
    """
    clients = Listed(sorted({ALL_CLIENTS, client_no}))
    latest: dict[int, Copy] = {}
    for copy in _copies(tx.all(_OF_ONE, nos=Listed(sorted(publisher_nos)), clients=clients), now):
        before = latest.get(copy.publisher_no)
        if before is None or copy.held.fetched_at > before.held.fetched_at:
            latest[copy.publisher_no] = copy
    return latest


def held_then(tx: Tx, publisher_no: int, client_no: int, then: Instant) -> ShownCopy | None:
    """What a publisher held at an instant, of its file of all clients or of this one, whichever it
    had fetched last. None: no fetch before then is kept.
    """
    clients = Listed(sorted({ALL_CLIENTS, client_no}))
    nos = [no for (no,) in tx.all(_FILES_OF_ONE, nos=Listed([publisher_no]), clients=clients)]
    every = _fetches(tx, nos).values()
    taken = (taken_of([one for one in some if one.at <= then]) for some in every)
    shown = [held_of(one, then) for one in taken if one]
    return max(shown, key=lambda held: held.fetched_at, default=None)


def newer_since(
    tx: Tx, publisher_no: int, client_no: int, instants: Iterable[Instant]
) -> dict[Instant, Instant]:
    """For each of these instants, since when the copy that a publisher fetched last has been of a
    file written after it; without instants after which the copy may not have been written.
    """
    clients = Listed(sorted({ALL_CLIENTS, client_no}))
    nos = [no for (no,) in tx.all(_FILES_OF_ONE, nos=Listed([publisher_no]), clients=clients)]
    by_file = {no: fetches for no, fetches in _fetches(tx, nos).items() if fetches}
    if not by_file:
        return {}
    latest = max(by_file.values(), key=lambda fetches: own_fetches(fetches)[-1].at)
    newer = {instant: pacing.newer_since(latest, instant) for instant in instants}
    return {instant: since for instant, since in newer.items() if since is not None}


def copy_of(tx: Tx, publisher_no: int, now: Instant, client_no: int = ALL_CLIENTS) -> ShownCopy:
    """What a publisher holds of one of its files, which must exist."""
    rows = tx.all(_OF_ONE, nos=Listed([publisher_no]), clients=Listed([client_no]))
    (copy,) = _copies(rows, now)
    return copy.held


def copies_of(tx: Tx, publisher_nos: Iterable[int], now: Instant) -> list[Copy]:
    """What is held of every file of these publishers."""
    return _copies(tx.all(_OF_PUBLISHERS, nos=Listed(sorted(publisher_nos))), now)


def near(tx: Tx, publisher_nos: Iterable[int], now: Instant, by: Instant) -> set[int]:
    """The publishers that are expected to fetch one of their files by an instant."""
    shown = copies_of(tx, publisher_nos, now)
    return {copy.publisher_no for copy in shown if copy.held.fetched_at and copy.held.next_at <= by}


def awaited(tx: Tx, now: Instant, by: Instant) -> list[Copy]:
    """The copies of files that were fetched, and are expected to be fetched again by an instant."""
    return _copies(tx.all(_AWAITED, by=by), now)


def lost(tx: Tx, now: Instant, only: Collection[int] | None = None) -> list[Copy]:
    """The files with jobs in them that nobody fetches any more. A publisher with a file for each
    client need not fetch that of all clients, nor the other way round. ``only``: of these
    publishers.
    """
    nos = [no for (no,) in tx.all(_SHOWING) if only is None or no in only]
    copies = copies_of(tx, nos, now)
    whole = {copy.publisher_no: copy for copy in copies if copy.client_no == ALL_CLIENTS}
    apart = {copy.publisher_no for copy in copies if copy.client_no != ALL_CLIENTS}
    return [
        copy
        for copy in copies
        if copy.job_count
        and copy.held.lost
        and whole[copy.publisher_no].held.lost
        and (copy.client_no != ALL_CLIENTS or copy.publisher_no not in apart)
    ]


def forget(tx: Tx, most: int) -> int:
    """Delete up to so many fetches that newer ones replace; how many there were."""
    return tx.run(_FORGET, most=most)


def _copies(rows: Iterable[Row], now: Instant) -> list[Copy]:
    return [
        Copy(
            publisher_no,
            client_no,
            job_count,
            written_at,
            unfetched(since_at, now) if taken[0] is None else held_of(Taken(*taken), now),
        )
        for publisher_no, client_no, job_count, since_at, written_at, *taken in rows
    ]


def _row(file_no: int, at: Instant, version: Instant, status: int, reader: str) -> dict[str, Any]:
    assert version > 0 < at, "a file that was written, and an instant"
    return {"file_no": file_no, "at": at, "version": version, "status": status, "reader": reader}


def _fetches(tx: Tx, file_nos: Iterable[int]) -> dict[int, list[Fetch]]:
    """All fetches that are kept of these files, in order of time."""
    by_file: dict[int, list[Fetch]] = defaultdict(list)
    for no, at, version, status, reader in tx.all(_FETCHES, nos=Listed(sorted(file_nos))):
        by_file[no].append(Fetch(at, version, status != _HAD, reader))
    return by_file


def _put(tx: Tx, rows: list[dict[str, Any]]) -> None:
    """Store fetches, and what publishers hold according to all that are kept."""
    tx.upsert_many(fetches, ["file_no", "at", "version"], rows, keep=True)
    tx.upsert_many(
        copies,
        ["file_no"],
        [
            {
                "file_no": no,
                "version": taken.version,
                "fetched_at": taken.at,
                "due_at": taken.due_at,
                "reader": taken.reader,
            }
            for no, some in _fetches(tx, {row["file_no"] for row in rows}).items()
            if (taken := taken_of(some))
        ],
    )
