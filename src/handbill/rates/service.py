"""Use cases of rates."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, timedelta
from typing import Final

from handbill.access import service as access
from handbill.changes.service import tell_many
from handbill.core import trail
from handbill.core.currencies import PLACES
from handbill.core.nouns import Client
from handbill.core.rates import KEPT_DAYS, DatedRate, Exchange, rate_text
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import HOUR, Instant
from handbill.kit.zones import day_of, zone_of
from handbill.rates import rows
from handbill.rates.rows import HOUSE
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

MOST_RATES: Final = 500_000
"""Of one owner: about fifty currencies on each working day of forty years."""
_AHEAD: Final = 14 * HOUR
"""How far the first zone on earth is ahead of UTC: no day is later than its."""


# ── reading ─────────────────────────────────────────────────────────────────────────────────────
def exchange_of(tx: Tx, client: Client, now: Instant) -> Exchange:
    """Today's rates of other currencies in the agency's, by the client's zone."""
    return exchange(tx, client.agency_no, day_of(now, zone_of(client.zone)))


def exchange(tx: Tx, agency_no: int, today: date) -> Exchange:
    """An agency's rates on a day."""
    first = today - timedelta(days=KEPT_DAYS)
    currency = access.agency_by_number(tx, agency_no).currency
    return Exchange(currency, today, rows.within(tx, agency_no, first, today))


def is_known(tx: Tx, agency_no: int, currency: str) -> bool:
    """Whether an agency can convert another currency at all: it sees a rate of it, of any day."""
    return rows.is_named(tx, agency_no, currency)


def page(
    tx: Tx, agency_no: int, skip: int, limit: int
) -> tuple[list[tuple[DatedRate, Instant]], int]:
    """An agency's own rates and the house's, the latest day first, each with when it was set; and
    how many there are.
    """
    return rows.page(tx, agency_no, skip, limit), rows.count(tx, agency_no)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────
def put(tx: Tx, now: Instant, agency_no: int, every: Sequence[DatedRate]) -> int:
    """Set rates of an agency, or of the house; returns how many changed. Booked amounts stay.

    **Refuses** (400) unknown currencies, a pair of one currency, a day that lies in the future
    everywhere, one pair and day twice, and more than ``MOST_RATES``.
    """
    if agency_no != HOUSE:
        access.lock_agency(tx, agency_no)
    faults = list(_faults(every, day_of(now + _AHEAD, UTC)))
    if faults:
        raise bad_request(faults)
    if not every:
        return 0
    days = [one.on for one in every]
    stands = rows.own(tx, agency_no, min(days), max(days))
    changed = [(before, one) for one in every if (before := stands.get(one[:3])) != one.picos]
    new = sum(before is None for before, _ in changed)
    if rows.count_own(tx, agency_no) + new > MOST_RATES:
        raise refused_state("", f"there may be {MOST_RATES} rates")
    rows.put(tx, agency_no, (one for _, one in changed), now)
    _tell(tx, now, agency_no, [(one, before, one.picos) for before, one in changed])
    return len(changed)


def delete(tx: Tx, now: Instant, agency_no: int, rate_id: str) -> None:
    """Delete a rate of an agency, or of the house: another one applies instead. **Refuses** one
    that is unknown, or not its own (404).
    """
    if agency_no != HOUSE:
        access.lock_agency(tx, agency_no)
    one = _named(rate_id)
    before = rows.own(tx, agency_no, one.on, one.on).get(one[:3])
    if before is None:
        raise not_found()
    rows.drop(tx, agency_no, one)
    _tell(tx, now, agency_no, [(one, before, None)])


def id_of(one: DatedRate) -> str:
    """The id of a rate."""
    return f"{one.on.isoformat()}-{one.source}-{one.target}"


def _named(rate_id: str) -> DatedRate:
    day, _, pair = rate_id[:10], rate_id[10:11], rate_id[11:]
    source, _, target = pair.partition("-")
    try:
        rate = DatedRate(date.fromisoformat(day), source, target, 0)
    except ValueError:
        raise not_found() from None
    if id_of(rate) != rate_id:
        raise not_found()
    return rate


def _faults(every: Sequence[DatedRate], last: date) -> Iterable[Fault]:
    seen: set[tuple[date, str, str]] = set()
    for n, one in enumerate(every):
        for name in ("source", "target"):
            if getattr(one, name) not in PLACES:
                yield Fault(f"{n}.{name}", "must be an ISO 4217 code such as USD")
        if one.source == one.target:
            yield Fault(f"{n}.target", "must be another currency than from")
        if one.on > last:
            yield Fault(f"{n}.on", "lies in the future")
        if one[:3] in seen:
            yield Fault(f"{n}.on", "is given twice for these currencies")
        seen.add(one[:3])


def _tell(
    tx: Tx,
    now: Instant,
    agency_no: int,
    changed: Sequence[tuple[DatedRate, int | None, int | None]],
) -> None:
    """Record each change, and have everything decided again that the rates concern."""
    if not changed:
        return
    owner = agency_no or None
    tell_many(
        tx,
        now,
        [
            (trail.TrailEntity("RATE", id_of(one), owner), _state(before), _state(after))
            for one, before, after in changed
        ],
    )
    enqueue(tx, kinds.LOOK_AT_RATES, str(agency_no), now)


def _state(picos: int | None) -> dict[str, str]:
    return {} if picos is None else {"rate": rate_text(picos)}
