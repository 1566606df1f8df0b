"""Keeps the table of matches true: each valid, live job is in exactly one job group.

A job belongs to the best ranked of the groups that may match today and whose filter matches (lowest
priority number, then oldest), else to the client's default group. Table matchings stores the groups
for which that was last made true, so that a change costs only the jobs that it can move:

- a group is *kept* when it took part before exactly as now; a job in a kept group can only be won
  by a changed group of better rank;
- jobs in groups that changed or no longer take part are matched anew;
- jobs in kept groups that rank above every changed one are not even read.

Before the first match is written, the changed groups are removed from what is stored: after a run
that dies half-way, the next one takes nothing for granted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.filter_code import FIELDS, Matcher
from handbill.core.nouns import Client
from handbill.core.rates import converted
from handbill.groups.contest import LAST, Contest, contest_of
from handbill.groups.remembered import (
    Remembered,
    begin,
    kept_of,
    lacks_default,
    remember,
    remembered_of,
)
from handbill.kit.faults import Unavailable
from handbill.kit.instants import Instant
from handbill.store.records import Records, Tx
from handbill.store.records.base import STEP, Listed, Row, among
from handbill.store.records.tables import jobs, matches, unmatched

BATCH = 5_000

_j, _m, _u = jobs.c, matches.c, unmatched.c
_LIMIT = b("limit", type_=sa.Integer)
# In the order of core.filter_code.Facts; ``custom`` is still JSON.
_FACTS = (
    _j.category,
    _j.country,
    _j.state,
    _j.city,
    _j.zip,
    _j.type,
    _j.title,
    _j.company,
    _j.ref,
    _j.posted_on,
    _j.cpc_micros,
    _j.custom,
)
_CUSTOM = len(FIELDS)
_BID = _CUSTOM - 1
_ONE: sa.ColumnClause[int] = sa.literal_column("1")
_NONE: sa.ColumnClause[int] = sa.literal_column("0")
_LIVE = sa.and_(
    _j.valid == _ONE,
    _j.left_at.is_(None),
    sa.or_(_j.end_at.is_(None), _j.end_at > b("now", type_=sa.BigInteger)),
)
_JOINED = sa.select(
    *_FACTS, _j.no, _m.group_no, sa.case((_LIVE, _ONE), else_=_NONE), _j.cpc_currency
)
_EVERY = (
    _JOINED.select_from(jobs.outerjoin(matches, _m.job_no == _j.no))
    .where(_j.client_no == b("client_no"), _j.no > b("after"))
    .order_by(_j.no)
    .limit(_LIMIT)
)
_UNMARKED = _EVERY.where(sa.not_(sa.exists().where(_u.job_no == _j.no)))
_MATCHED = (
    _JOINED.select_from(matches.join(jobs, _m.job_no == _j.no))
    .where(
        _m.client_no == b("client_no"),
        _m.job_no > b("after"),
        sa.not_(among(_m.group_no, "settled")),
    )
    .order_by(_m.job_no)
    .limit(_LIMIT)
)
_OWN = _JOINED.select_from(jobs.outerjoin(matches, _m.job_no == _j.no)).where(_j.no == b("no"))
_IS_MARKED = sa.select(_u.job_no).where(_u.job_no == b("no"))
_MARKED = _JOINED.select_from(jobs.outerjoin(matches, _m.job_no == _j.no)).where(
    _j.client_no == b("client_no"), among(_j.no, "nos")
)
_TAKE_MARKS = (
    sa.delete(unmatched)
    .where(
        _u.job_no.in_(
            sa.select(_u.job_no)
            .where(_u.client_no == b("client_no"))
            .order_by(_u.job_no)
            .limit(_LIMIT)
            .with_for_update()
        )
    )
    .returning(_u.job_no)
)
_ENDED = (
    sa.select(_m.job_no)
    .where(
        _m.client_no == b("client_no"),
        sa.exists().where(_j.no == _m.job_no, _j.end_at <= b("now")),
    )
    .limit(_LIMIT)
)
_FORGET = sa.delete(matches).where(among(_m.job_no, "nos"))
_FORGET_ENDED = _FORGET.where(sa.exists().where(_j.no == _m.job_no, _j.end_at <= b("now")))
_NOTHING: dict[str, str] = {}


_CUSTOM_IN = msgspec.json.Decoder(dict[str, str])


@dataclass(slots=True)
class Tally:
    """The cost of a rematch: jobs looked at, and jobs that moved."""

    looked_at: int = 0
    moved: int = 0


def rematch(records: Records, client: Client, now: Instant, batch: int = BATCH) -> Tally:
    """Make the client's matches true again, in batches of jobs, each in its own transaction."""
    with records.write() as tx:
        contest = contest_of(tx, client, now)
        before = begun = begin(tx, contest)
        kept = kept_of(contest, before)
        anew = lacks_default(contest, before)
        steady = not anew and before.groups == contest.signatures
        if not steady:
            default_no = None if anew else contest.default_no
            begun = Remembered(default_no, {} if anew else kept, before.round + 1)
            remember(tx, contest, begun)
    walk = _Walk(records, batch, Tally(), begun)
    if anew:
        _match_every(walk, contest)
    elif not steady:
        _match_moved(walk, contest, kept)
    _match_marked(walk, contest)
    _drop_ended(walk, contest)
    with records.write() as tx:
        walk.require(tx, contest)
        done = Remembered(contest.default_no, contest.signatures, begun.round)
        remember(tx, contest, done)
    return walk.tally


class Candidate(NamedTuple):
    """A job as matching sees it. ``facts``: as ``core.filter_code.Facts``; ``group_no``: its
    recorded group; ``live``: valid, in its feed, not ended; otherwise it is in no group.
    """

    no: int
    facts: Sequence[Any]
    group_no: int | None
    live: bool


def candidates(tx: Tx, contest: Contest, after: int, most: int = BATCH) -> list[Candidate]:
    """The client's next jobs after a number, in the order of their numbers."""
    asked = {"client_no": contest.client_no, "now": contest.now, "limit": most}
    return [_candidate(contest, row) for row in tx.all(_EVERY, after=after, **asked)]


def candidate_of(tx: Tx, contest: Contest, job_no: int) -> tuple[Candidate, bool]:
    """One job, and whether it has changed since it was last matched."""
    row = tx.one(_OWN, no=job_no, now=contest.now)
    assert row is not None, "jobs are never deleted"
    return _candidate(contest, row), tx.one(_IS_MARKED, no=job_no) is not None


def _candidate(contest: Contest, row: Row) -> Candidate:
    row = _counted(contest, row)
    custom = row[_CUSTOM]
    own = _NOTHING if custom is None else _CUSTOM_IN.decode(custom)
    no, group_no, live, _ = row[_CUSTOM + 1 :]
    return Candidate(no, (*row[:_CUSTOM], own), group_no, bool(live))


# ── the walks ───────────────────────────────────────────────────────────────────────────────────
_Wanted = list[tuple[int, int | None, int | None]]
"""Job number, the group it is in, the group it belongs in."""


def _counted(contest: Contest, row: Row) -> Row:
    """A row with its bid in the agency's currency; without a rate there is no bid."""
    currency = row[-1]
    if not currency or row[_BID] is None:
        return row
    rate = contest.exchange.picos(currency)
    bid_micros = converted(row[_BID], rate) if rate else None
    return (*row[:_BID], bid_micros, *row[_CUSTOM:])


def _facts(contest: Contest, matcher: Matcher, row: Row) -> Sequence[Any]:
    """A row as the matcher reads it: custom fields are decoded only where a filter needs them."""
    row = _counted(contest, row)
    if not matcher.asks_custom:
        return row
    custom = row[_CUSTOM]
    return (*row[:_CUSTOM], _NOTHING if custom is None else _CUSTOM_IN.decode(custom))


def _wanted(contest: Contest, matcher: Matcher, rows: Iterable[Row]) -> _Wanted:
    """Match each job against all groups."""
    best, default_no = matcher.best, contest.default_no
    moves: _Wanted = []
    for row in rows:
        no, current, live, _ = row[_CUSTOM + 1 :]
        wanted = None
        if live:
            wanted = best(_facts(contest, matcher, row))
            if wanted is None:
                wanted = default_no
        moves.append((no, current, wanted))
    return moves


def _match_every(walk: "_Walk", contest: Contest) -> None:
    """Match all jobs but the marked ones, which are matched anyway."""
    matcher = contest.matcher()
    asked = {"client_no": contest.client_no, "now": contest.now}
    for rows in walk.pages(_UNMARKED, asked):
        walk.write(contest, _wanted(contest, matcher, rows))


def _match_moved(walk: "_Walk", contest: Contest, kept: dict[int, str]) -> None:
    """Match the jobs that changed groups can win, and those that changed and removed groups had."""
    changed = [c for c in contest.contenders if c.group_no not in kept]
    top = min((c.rank for c in changed), default=LAST)
    settled = [no for no in kept if contest.rank(no) < top]
    if not changed and contest.default_no is not None:
        settled.append(contest.default_no)
    full, part = contest.matcher(), contest.matcher(c.group_no for c in changed)
    stays = {*kept, contest.default_no}
    asked = {
        "client_no": contest.client_no,
        "now": contest.now,
        "settled": Listed(settled),
    }
    for rows in walk.pages(_MATCHED, asked):
        moves: _Wanted = []
        lost = []
        for row in rows:
            no, current, live, _ = row[_CUSTOM + 1 :]
            if not live or current not in stays:
                lost.append(row)
                continue
            rival = part.best(_facts(contest, part, row))
            won = rival is not None and contest.rank(rival) < contest.rank(current)
            moves.append((no, current, rival if won else current))
        walk.write(contest, moves + _wanted(contest, full, lost))


def _match_marked(walk: "_Walk", contest: Contest) -> None:
    """Match the jobs that changed. The marks are removed first, in the same transaction, so that
    another change of a job meanwhile marks it again.
    """
    matcher = contest.matcher()

    def match_some(tx: Tx, most: int) -> int:
        asked = {"client_no": contest.client_no, "limit": most}
        walk.require(tx, contest)
        nos = [no for (no,) in tx.all(_TAKE_MARKS, **asked)]
        if nos:
            rows = tx.all(_MARKED, client_no=contest.client_no, nos=Listed(nos), now=contest.now)
            walk.tally.moved += _write(tx, contest, _wanted(contest, matcher, rows))
        return len(nos)

    walk.tally.looked_at += walk.records.in_steps(match_some, min(walk.batch, STEP))


def _drop_ended(walk: "_Walk", contest: Contest) -> None:
    asked = {"client_no": contest.client_no, "now": contest.now, "limit": walk.batch}
    count = walk.batch
    while count == walk.batch:
        with walk.records.read() as tx:
            nos = [no for (no,) in tx.all(_ENDED, **asked)]
        count = len(nos)
        if nos:
            with walk.records.write() as tx:
                walk.tally.moved += tx.run(_FORGET_ENDED, nos=Listed(nos), now=contest.now)
            walk.records.give_way()


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk over jobs, page by page: read in one transaction, written in another, so that no
    writer waits while filters are evaluated.

    ``begun``: what is remembered while it lasts. **Refuses** (Unavailable) to write anything if
    another worker has matched since, for other groups or with the marks of jobs that have changed.
    """

    records: Records
    batch: int
    tally: Tally
    begun: Remembered

    def pages(self, statement: sa.Select[Any], asked: dict[str, Any]) -> Iterator[list[Row]]:
        after = 0
        while True:
            with self.records.read() as tx:
                rows = tx.all(statement, after=after, limit=self.batch, **asked)
            if not rows:
                return
            self.tally.looked_at += len(rows)
            yield rows
            after = rows[-1][_CUSTOM + 1]

    def write(self, contest: Contest, found: _Wanted) -> None:
        if any(current != wanted for _, current, wanted in found):
            with self.records.write() as tx:
                self.require(tx, contest)
                self.tally.moved += _write(tx, contest, found)
            self.records.give_way()

    def require(self, tx: Tx, contest: Contest) -> None:
        if remembered_of(tx, contest.client_no) != self.begun:
            raise Unavailable("another worker has matched this client's jobs")


def _write(tx: Tx, contest: Contest, found: _Wanted) -> int:
    """Write the matches that differ; how many jobs moved."""
    moved = [
        {"job_no": no, "client_no": contest.client_no, "group_no": wanted}
        for no, current, wanted in found
        if wanted is not None and wanted != current
    ]
    tx.upsert_many(matches, ["job_no"], moved)
    gone = [no for no, current, wanted in found if wanted is None and current is not None]
    if gone:
        tx.run(_FORGET, nos=Listed(gone))
    return len(moved) + len(gone)
