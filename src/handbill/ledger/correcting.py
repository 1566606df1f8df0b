"""Entries that cancel and replace others, and what follows from them.

A correction is two entries at the instant of the one that it corrects: one cancels it, the other
replaces it. What is given back makes room in caps at once. What is now to be paid is only paid if
every cap has room for it. **Source**: docs/decisions/0059.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final

import msgspec

from handbill.core import sightings
from handbill.core.charging import (
    FREE,
    UNMARKED,
    CounterKey,
    EventUse,
    Factors,
    Place,
    Price,
    folded,
    name_of,
    price_of_apply,
    price_of_click,
    summed,
)
from handbill.core.closing import first_open
from handbill.core.entries import Entry
from handbill.core.job_caps import Count, TakenOfJob, folded_jobs
from handbill.core.judging import BOT, COUNTED, LATENT, OVER_CAP, TAKES_ROOM
from handbill.core.rates import UNCONVERTED, UNQUOTED, Quotes, charge_at, quotes_of
from handbill.core.received import ReceivedClick
from handbill.core.rejudging import PASSED, Anew
from handbill.core.sightings import Sighting
from handbill.core.spending import Spending
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import counter_rows, counting
from handbill.ledger.counting import Counted, Counting
from handbill.ledger.rows import JudgedClick
from handbill.ledger.terms import ClientTerms
from handbill.ledger.tills import Tills, place_of
from handbill.store.records import Tx

UNPAID: Final = frozenset({BOT, LATENT})
"""The dispositions of clicks whose applies are free."""
_CLOSED: Final = "closed_month:"
_AMOUNTS: Final = tuple(name for name in Entry.__struct_fields__ if name.endswith("_micros"))
_ID_BYTES: Final = 16


def _id_of(entry: Entry, what: bytes) -> bytes:
    """The id of a correcting entry: unique, since an entry is cancelled only once."""
    return hashlib.blake2b(entry.id + what, digest_size=_ID_BYTES).digest()


def taken_back(entry: Entry) -> Entry:
    """The entry that removes another one from all sums."""
    assert entry.sign == 1, "only what stands is taken back"
    amounts = {name: -getattr(entry, name) for name in _AMOUNTS}
    return msgspec.structs.replace(
        entry, id=_id_of(entry, b"-"), sign=-1, corrects=entry.id, **amounts
    )


def instead(
    entry: Entry,
    disposition: str,
    reason: str,
    price: Price = FREE,
    quotes: Quotes = UNCONVERTED,
    definition: str | None = None,
) -> Entry:
    """The entry that replaces another one, with the same date."""
    _, closed, day = entry.reason.partition(_CLOSED)
    changes: dict[str, Any] = {
        "id": _id_of(entry, b"+"),
        "corrects": entry.id,
        "disposition": disposition,
        "reason": f"{reason} {closed}{day}".strip(),
        "charge_micros": price.charge_micros,
        "spend_micros": price.spend_micros,
        "marked_micros": price.marked_micros,
        "agency_ppm": price.factors.agency_ppm,
        "override_ppm": price.factors.override_ppm,
        "definition": entry.definition if definition is None else definition,
    }
    for side, quoted in zip(("bid", "price"), quotes, strict=True):
        changes[f"{side}_micros"] = quoted.micros
        changes[f"{side}_currency"] = quoted.currency
        changes[f"{side}_rate_picos"] = quoted.rate_picos
    return msgspec.structs.replace(entry, **changes)


def event_of(entry: Entry, seen: Sighting) -> ReceivedClick:
    """A click as it was received, without its visitor."""
    return ReceivedClick(
        at=entry.click_at,
        random=entry.click_id,
        job_id=bytes.fromhex(entry.job_id),
        client_no=entry.client_no,
        campaign_no=entry.campaign_no,
        group_no=entry.group_no,
        publisher_no=entry.publisher_no,
        bid_type=entry.bid_type,  # type: ignore[arg-type]
        bid_micros=seen.bid_micros,
        price_micros=seen.price_micros,
        ip="",
        agent="",
        listed_at=entry.listed_at,
        quote=seen.quote,
        ahead=seen.ahead,
    )


@dataclass(slots=True)
class ChangedClicks:
    """Clicks whose result has changed, with the new result, and their counted applies that are
    paid. ``versions``: of what is in force, by publisher.
    """

    clicks: list[tuple[Entry, Anew]]
    applies: Mapping[bytes, list[Entry]]
    versions: Mapping[int, str]

    def flips(self) -> Iterable[tuple[Entry, Entry, Anew]]:
        """The applies that were paid and are free now, or the other way round."""
        for click, anew in self.clicks:
            if (anew.former in UNPAID) != (anew.disposition in UNPAID):
                for apply in self.applies.get(click.click_id, ()):
                    yield apply, click, anew


@dataclass(slots=True)
class Corrections:
    """What is added. ``clicks``: what is known about them from now on."""

    entries: list[Entry] = field(default_factory=list)
    clicks: list[tuple[bytes, JudgedClick, Instant]] = field(default_factory=list)
    tallies: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    counters: dict[CounterKey, int] = field(default_factory=dict)
    counting: Counted = field(default_factory=Counted)
    told: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """The number of clicks by their new result and its reason."""
    applies: int = 0
    tills: Tills | None = None

    def put(self, former: Entry, now: Entry) -> None:
        """Cancel an entry and replace it by another one."""
        assert now.corrects == former.id, "what stands for it names it"
        self.entries += (taken_back(former), now)
        if former.disposition != now.disposition:
            self.tallies[former.client_no, former.kind, former.disposition] -= 1
            self.tallies[now.client_no, now.kind, now.disposition] += 1


class Correcting:
    """Computes the corrections of one client's entries, within its caps as they are used now."""

    def __init__(
        self, tx: Tx, begins: Counting, terms: ClientTerms, client_no: int, now: Instant
    ) -> None:
        self._tx = tx
        self._begins = begins
        self._terms = terms
        self._client_no = client_no
        self._now = now
        self._zone: tzinfo = zone_of(terms.zone)

    def corrections(self, asked: ChangedClicks, pending: Mapping[CounterKey, int]) -> Corrections:
        """First what is given back, then what is to be paid, in order of time. ``pending``: what is
        used or given back in addition to the counters, for a preview.
        """
        made = Corrections()
        clicks = [(entry, anew) for entry, anew in asked.clicks if anew.reason]
        for click, anew in clicks:
            self._put_click(made, asked, click, anew.disposition, anew.reason)
        for apply, _, anew in asked.flips():
            if anew.disposition in UNPAID:
                made.applies += 1
                made.put(apply, instead(apply, COUNTED, f"{anew.disposition}_click"))
        self._pay(made, asked, pending)
        assert sum(one.sign for one in made.entries) == 0, "what is taken back is stood for"
        made.counters = self._taken(made.entries, self._counts(made))
        return made

    def _pay(
        self, made: Corrections, asked: ChangedClicks, pending: Mapping[CounterKey, int]
    ) -> None:
        paid = [(entry, anew) for entry, anew in asked.clicks if not anew.reason]
        flips = [one for one in asked.flips() if one[2].disposition not in UNPAID]
        if not paid and not flips:
            return
        assert all(anew.disposition in PASSED for _, anew in paid), "no rule excludes them"
        every = [*(one for one, _ in paid), *(apply for apply, _, _ in flips)]
        tills = made.tills = self._tills(made, every, pending)
        for click in sorted((one for one, _ in paid), key=lambda one: (one.click_at, one.id)):
            seen = _seen_of(click)
            event = event_of(click, seen)
            bid, shown = seen.counted_bid_micros, seen.counted_price_micros
            charge = charge_at(bid, shown, event.quote.price_picos)
            price = price_of_click(event.bid_type, bid, charge, self._factors(event, event.at))
            full = tills.at(event, click.at).take(EventUse(price.marked_micros, 1, 0))
            if full is None:
                quotes = self._quotes(event, bid, shown) if price != FREE else UNCONVERTED
                self._put_click(made, asked, click, "valid", "", price, quotes)
            else:
                self._put_click(made, asked, click, OVER_CAP, name_of(full))
        for apply, click, _ in flips:
            self._pay_apply(made, tills, apply, click)

    def _pay_apply(self, made: Corrections, tills: Tills, apply: Entry, click: Entry) -> None:
        """Pay an apply at its click's price; it is already counted, and needs budget only."""
        seen = _seen_of(click)
        event = event_of(click, seen)
        bid, shown = seen.counted_bid_micros, seen.counted_price_micros
        charge = charge_at(bid, shown, event.quote.price_picos)
        price = price_of_apply(apply.bid_type, bid, charge, self._factors(event, apply.at))
        assert apply.click_id == click.click_id, "an apply is of its click"
        made.applies += 1
        full = tills.at(event, apply.at).take(EventUse(price.marked_micros, 0, 0))
        if full is None:
            quotes = self._quotes(event, bid, shown) if price != FREE else UNCONVERTED
            made.put(apply, instead(apply, COUNTED, "", price, quotes))
        else:
            made.put(apply, instead(apply, OVER_CAP, name_of(full)))

    def _put_click(
        self,
        made: Corrections,
        asked: ChangedClicks,
        click: Entry,
        disposition: str,
        reason: str,
        price: Price = FREE,
        quotes: Quotes = UNCONVERTED,
    ) -> None:
        version = asked.versions[click.publisher_no]
        made.put(click, instead(click, disposition, reason, price, quotes, version))
        made.told[click.disposition, disposition, reason] += 1
        seen, judged = _seen_of(click), JudgedClick(self._client_no, disposition)
        bid, shown = seen.counted_bid_micros, seen.counted_price_micros
        if bid < seen.bid_micros or shown < seen.price_micros:
            judged = JudgedClick(self._client_no, disposition, bid, shown)
        made.clicks.append((click.click_id, judged, click.click_at))

    # ── room ────────────────────────────────────────────────────────────────────────────────────

    def _tills(
        self, made: Corrections, paid: Sequence[Entry], pending: Mapping[CounterKey, int]
    ) -> Tills:
        """The tills of these entries, including the room that was given back already."""
        terms, client_no = self._terms, self._client_no
        at_jobs = {(one.group_no, one.publisher_no, bytes.fromhex(one.job_id)) for one in paid}
        of_jobs = {at: limits for at in at_jobs if (limits := terms.of_job(*at))}
        made.counting = self._begins.read(
            self._tx, {client_no: terms}, {client_no: at_jobs}, {client_no: of_jobs}
        )
        wanted = counting.compared(terms, of_jobs, {one.at for one in paid}, self._now)
        given = Counter(self._taken(made.entries, self._counts(made)))
        given.update(pending)
        used = Counter(counter_rows.counters_used(self._tx, wanted))
        used.update(summed(made.counting.found, wanted))
        used.update(summed(given, wanted))
        assert min(used.values(), default=0) >= 0, "a counter is never negative"
        open_at = first_open(self._now, self._zone)
        return Tills(terms, of_jobs, self._zone, open_at, Spending(used))

    def _counts(self, made: Corrections) -> set[Count]:
        """The counts of jobs that are kept from now on: those that end are dropped with what they
        have counted.
        """
        kept = counting.counts_of(self._tx, self._client_no)
        kept |= made.counting.begun.get(self._client_no, set())
        return kept - made.counting.ended.get(self._client_no, set())

    def _taken(self, entries: Iterable[Entry], counts: Iterable[Count]) -> dict[CounterKey, int]:
        """The counters of entries; a negative amount is given back."""
        taken, of_jobs = [], []
        for one in entries:
            if one.disposition in TAKES_ROOM:
                day = day_of(one.at, self._zone)
                clicks = one.sign * (one.kind == "CLICK")
                amounts = one.marked_micros, clicks, one.sign * (one.kind == "APPLY")
                place = Place(one.client_no, one.campaign_no, one.group_no, one.publisher_no)
                taken.append((place, day, amounts))
                of_jobs.append(TakenOfJob(*place[:1], *place[2:], one.job_id, day, amounts))
        assert len(taken) == len(of_jobs), "what takes room is a job's"
        counters = folded(taken) | folded_jobs(of_jobs, counts)
        return {key: value for key, value in counters.items() if value}

    def _factors(self, event: ReceivedClick, at: Instant) -> Factors:
        marking = self._terms.markings.get(place_of(event))
        return marking.at(at) if marking else UNMARKED

    def _quotes(self, event: ReceivedClick, bid: int, shown: int) -> Quotes:
        if event.quote == UNQUOTED:
            return UNCONVERTED
        currency = self._terms.currencies.get(event.publisher_no, "")
        return quotes_of(event.quote, shown, currency, bid_stands=bid == event.bid_micros)


def _seen_of(click: Entry) -> Sighting:
    seen = sightings.decode(click.seen)
    assert seen is not None, "of what nothing was kept nothing is corrected"
    return seen
