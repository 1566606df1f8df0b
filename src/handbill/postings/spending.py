"""What purchases cost on the days that have begun, for the ledger to book: each day once.

The ledger books what ``unbooked`` returns, and calls ``booked``, in one transaction. A purchase is
paid for whatever becomes of its jobs: docs/decisions/0008. **Source**: domain 10.
"""

from collections.abc import Sequence
from datetime import date, timedelta, tzinfo
from typing import NamedTuple

from handbill.clients.service import clients_by_number
from handbill.core.posting_costs import days_of, next_part, shared
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, start_of, zone_of
from handbill.postings import rows, spending_rows
from handbill.postings.spending_rows import PostingSpending
from handbill.store.records import Tx

_MOST_CONFIGS = 100
_MOST_SHARES = 10_000  # of all together; the purchase that exceeds it is still taken whole
_MOST_DAYS = 100  # of one purchase at a time; the rest is found right afterwards


class Share(NamedTuple):
    """One client's part of a purchase's cost on a day; ``at`` is the day's start in its own zone.

    ``after_micros``: what was booked of the purchase before; no two parts of a client have the
    same.
    """

    client_no: int
    at: Instant
    micros: int
    after_micros: int


class DueSpending(NamedTuple):
    """What is to be booked of one purchase, and how far it is booked then."""

    former: PostingSpending
    shares: tuple[Share, ...]
    spent: tuple[str | None, int]
    due_at: Instant | None


def unbooked(tx: Tx, now: Instant) -> list[DueSpending]:
    """The days that have begun for every client of their purchase and are not booked."""
    due: list[DueSpending] = []
    room = _MOST_SHARES
    for former in spending_rows.due(tx, now, _MOST_CONFIGS):
        if room <= 0:
            break
        due.append(_due(tx, former, now))
        room -= len(due[-1].shares)
    return due


def booked(tx: Tx, dues: Sequence[DueSpending]) -> bool:
    """Note what has been booked; False when a purchase was changed or booked meanwhile."""
    return all(spending_rows.save(tx, due.former, due.spent, due.due_at) for due in dues)


def _due(tx: Tx, former: PostingSpending, now: Instant) -> DueSpending:
    client_nos = rows.client_numbers(tx, former.no)
    clients = clients_by_number(tx, client_nos)
    zones = [zone_of(clients[no].zone if no in clients else "UTC") for no in client_nos]
    posted = spending_rows.posted_counts(tx, former.no)
    weights = [posted.get(no, 0) for no in client_nos]
    until = now if former.deleted_at is None else min(now, former.deleted_at)
    spent_on, spent = former.spent_on, former.spent_micros
    shares: list[Share] = []
    for _ in range(_MOST_DAYS):
        day, left = _next(former, spent_on, zones[0], until)
        micros = next_part(former.cost_micros, spent, left)
        if day is None or (left == 1 and not micros):
            return DueSpending(former, tuple(shares), (spent_on, spent), None)
        begins = [start_of(day, zone) for zone in zones]
        if max(begins) > until:
            due_at = max(begins) if former.deleted_at is None else None
            return DueSpending(former, tuple(shares), (spent_on, spent), due_at)
        parts = zip(client_nos, begins, shared(micros, weights), strict=True)
        shares += [Share(no, at, part, spent) for no, at, part in parts if part]
        spent_on, spent = day.isoformat(), spent + micros
    return DueSpending(former, tuple(shares), (spent_on, spent), now)


def _next(
    former: PostingSpending, spent_on: str | None, zone: tzinfo, until: Instant
) -> tuple[date | None, int]:
    """The next day to book, and how many days are left with it. If something is still owed after
    the last day, because the purchase became dearer or shorter, all of it falls on today.
    """
    first, last = days_of(former.start_at, former.end_at, zone)
    if spent_on is None:
        return first, (last - first).days + 1
    done = date.fromisoformat(spent_on)
    if done < last:
        return done + timedelta(days=1), (last - done).days
    if done == date.max:
        return None, 1
    return max(done + timedelta(days=1), day_of(until, zone)), 1
