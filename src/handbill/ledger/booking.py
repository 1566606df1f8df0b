"""One client's run of events, judged in memory: what was known before, and what the run adds."""

from collections.abc import Iterable
from datetime import tzinfo

from handbill.core import entries
from handbill.core.attribution import (
    APPLY,
    PARKED_FOR,
    Ruling,
    keys_of,
    ruling_of,
    timing_of,
)
from handbill.core.charging import (
    FREE,
    UNMARKED,
    Factors,
    Need,
    Place,
    Price,
    name_of,
    price_of_apply,
    price_of_click,
)
from handbill.core.click_definitions import Definition, Location, class_of_click
from handbill.core.closing import booked, first_open
from handbill.core.funnel_stages import application_key, candidate_key
from handbill.core.judging import (
    BOT,
    COUNTED,
    DEAD,
    DUPLICATE,
    ENTRY_DISPOSITIONS,
    FURTHER,
    INVALID,
    KIND_OF_ACTION,
    KINDS,
    LATE,
    LATENT,
    ORGANIC,
    OVER_CAP,
    PARKED,
    VALID,
    Kind,
    balance_of,
    digest_of_agent,
    masked_ip,
)
from handbill.core.price_ends import Frozen, Standing, counted
from handbill.core.rates import UNCONVERTED, UNQUOTED, Quotes, charge_at, quotes_of
from handbill.core.received import ReceivedClick, ReceivedConversion, encode
from handbill.definitions.service import Held
from handbill.kit.instants import SECOND, Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger.address_days import address_day
from handbill.ledger.classing import link_of
from handbill.ledger.rows import Judged, Parked
from handbill.ledger.runs import (
    RECEIVED,
    REDELIVERED,
    Added,
    Click,
    Conversion,
    Known,
    Rules,
)
from handbill.ledger.terms import Terms
from handbill.ledger.tills import Tills, place_of


class Run:
    """Judges one client's events in order. Clicks go before the conversions that they led to.

    ``judged_at``: every click stamped before is known, or here. ``now``: which months are closed.
    """

    def __init__(
        self,
        client_no: int,
        terms: Terms | None,
        known: Known,
        rules: Rules,
        judged_at: Instant,
        now: Instant,
    ) -> None:
        self.added = Added()
        self._client_no = client_no
        self._terms = terms
        self._known = known
        self._rules = rules
        self._judged_at = judged_at
        self._zone: tzinfo = zone_of(terms.zone if terms else "UTC")
        self._open_at = first_open(now, self._zone)
        self._currency = terms.currency if terms else ""
        self._tills = Tills(terms, known, self._zone, self._open_at)

    def judge(self, clicks: Iterable[Click], conversions: Iterable[Conversion]) -> Added:
        for event, visitor in clicks:
            self._click(event, visitor)
        for conversion in conversions:
            self._conversion(conversion)
        self.added.counters = self._tills.spending.additions()
        self.added.short = self._tills.spending.short
        for kind in KINDS:
            told = {what: by for (_, of, what), by in self.added.tallies.items() if of == kind}
            told.pop(REDELIVERED, None)
            received = told.pop(RECEIVED, 0)
            assert not balance_of(received, told.items()), "all that was received became something"
        return self.added

    # ── clicks ──────────────────────────────────────────────────────────────────────────────────

    def _click(self, event: ReceivedClick, visitor: bytes) -> None:
        added, known = self.added, self._known
        assert event.client_no == self._client_no, "a run is of one client"
        if event.random in known.clicks:
            added.tally(self._client_no, "CLICK", REDELIVERED)
            return
        location = self._rules.locate(event.ip)
        link, facts = link_of(event), known.facts
        standing = facts.standing(link)
        # Its link's price may have ended; what it counts at, an apply by it does, too.
        offer = counted(link.line.frozen, standing, event.at, facts.honoured)
        disposition, reason, price = self._class_of(event, visitor, location, standing, offer)
        quotes = self._quotes(event, *offer[2:]) if price != FREE else UNCONVERTED
        judged = Judged(self._client_no, disposition)
        if offer.bid_micros < event.bid_micros or offer.price_micros < event.price_micros:
            judged = Judged(self._client_no, disposition, offer.bid_micros, offer.price_micros)
        assert (disposition == VALID) == (not reason), "what does not count has its reason"
        known.clicks[event.random] = judged
        added.clicks.append((event.random, judged, event.at))
        added.tally(self._client_no, "CLICK", RECEIVED)
        added.tally(self._client_no, "CLICK", disposition)
        dated = booked(event.at, reason, self._open_at, self._zone)
        added.entries.append(
            entries.of_click(
                event,
                dated,
                disposition,
                price,
                currency=self._currency,
                visitor=visitor,
                ip=masked_ip(event.ip, self._rules.ip_mode, self._rules.key),
                agent=digest_of_agent(event.agent),
                location=location,
                quotes=quotes,
            )
        )

    def _class_of(
        self,
        event: ReceivedClick,
        visitor: bytes,
        location: Location,
        standing: Standing,
        offer: Frozen,
    ) -> tuple[str, str, Price]:
        if self._terms is None:
            return INVALID, "unknown_client", FREE
        held = self._terms.held.get(event.publisher_no) or Held(self._rules.otherwise)
        facts, opened_at = self._known.facts, self._known.visits.get(visitor)
        before = self._clicks_before(event, held.rules)
        why = class_of_click(
            held.rules, facts.seen(event, standing, held, opened_at, location, before)
        )
        if why is not None:
            return *why, FREE
        window = held.rules.duplicate_seconds
        if window:
            self._known.visits[visitor] = event.at
            until_at = event.at + window * SECOND
            self.added.visits[visitor] = (self._client_no, event.at, until_at)
        factors = self._factors(event, event.at)
        charge_micros = charge_at(offer.bid_micros, offer.price_micros, event.quote.price_picos)
        price = price_of_click(event.bid_type, offer.bid_micros, charge_micros, factors)
        assert price.spend_micros <= event.bid_micros, "no click costs more than its link says"
        till = self._tills.at(event, event.at)
        full = till.take(Need(price.marked_micros, 1, 0))
        self.added.see(event, price.marked_micros, clicks=1, billed=full is None)
        return (VALID, "", price) if full is None else (OVER_CAP, name_of(full), FREE)

    def _clicks_before(self, event: ReceivedClick, rules: Definition) -> int:
        """The clicks of the address on this day so far, where they are limited; this one is
        counted.
        """
        if rules.most_clicks is None:
            return 0
        day_on = day_of(event.at, self._zone).isoformat()
        key = address_day(self._rules.key, self._client_no, day_on, event.ip)
        clicks = self._known.facts.clicks
        clicks[key] = clicks.get(key, 0) + 1
        self.added.address_days[key] = self.added.address_days.get(key, 0) + 1
        assert clicks[key] >= self.added.address_days[key], "those of this run are among them"
        return clicks[key] - 1

    # ── conversions ─────────────────────────────────────────────────────────────────────────────

    def _conversion(self, arrived: Conversion) -> None:
        event = arrived.event
        assert event.client_no == self._client_no, "a run is of one client"
        kind = KIND_OF_ACTION[event.action]
        if not arrived.parked_no:
            self.added.tally(self._client_no, kind, RECEIVED)
        if not event.click_random:
            self._organic(arrived, kind)
            return
        own = event.click_client_no == self._client_no
        found = self._known.clicks.get(event.click_random) if own else None
        if found is not None and found.client_no == self._client_no:
            self._attribute(arrived, kind, found)
        elif own and self._timing(event)[0] == "late":
            # Its click may have been forgotten by now, and could not help it.
            self._book(arrived, kind, LATE, "window", event.at)
        elif arrived.parked_no and arrived.due_at <= self._judged_at:
            self._bury(arrived, kind)
        elif not arrived.parked_no:
            self._park(arrived, kind)

    def _attribute(self, arrived: Conversion, kind: Kind, click: Judged) -> None:
        event = arrived.event
        assert click.client_no == self._client_no == event.click_client_no, "the click is its own"
        ruling = self._ruling(event)
        if ruling.standing == "repeat":
            self._repeat(arrived, kind, ruling)
            return
        timing, at = self._timing(event)
        if timing == "late":
            self._note(event, credited=False)
            self._book(arrived, kind, LATE, "window", at)
        elif timing == "precedes_click":
            self._book(arrived, kind, INVALID, "precedes_click", at)
        else:
            self._claim(ruling, event.click_random, at)
            self._note(event, credited=True)
            if ruling.standing == "further" and self._pays_one(event):
                self._book(arrived, kind, FURTHER, "", at)
            else:
                self._count(arrived, kind, at, click)

    def _ruling(self, event: ReceivedConversion) -> Ruling:
        keys = keys_of(event.action, event.click_random, event.application_id)
        return ruling_of(keys, self._known.keys)

    def _repeat(self, arrived: Conversion, kind: Kind, ruling: Ruling) -> None:
        """What was told before, by whomever: booked, and free."""
        event = arrived.event
        assert ruling.standing == "repeat", "what is new is not free"
        application = keys_of(event.action, b"", event.application_id).application
        first = self._known.keys.get(application or "", event.click_random)
        self._claim(ruling, event.click_random, event.at)
        if ruling.names_it:
            self._note(event, credited=True)
        reason = "" if first == event.click_random else "duplicate_application"
        self._book(arrived, kind, DUPLICATE, reason, event.at)

    def _pays_one(self, event: ReceivedConversion) -> bool:
        """Whether the publisher is paid for one apply of a click, and for no further ones."""
        by_apply = event.action == APPLY and event.bid_type == "CPA"
        return by_apply and not (self._terms and event.publisher_no in self._terms.pay_every_apply)

    def _count(self, arrived: Conversion, kind: Kind, at: Instant, click: Judged) -> None:
        event = arrived.event
        applies = int(event.action == APPLY)
        price, quotes = FREE, UNCONVERTED
        if applies:
            factors = self._factors(event, at)
            bid = event.bid_micros if click.bid_micros is None else click.bid_micros
            shown = event.price_micros if click.price_micros is None else click.price_micros
            charge_micros = charge_at(bid, shown, event.quote.price_picos)
            price = price_of_apply(event.bid_type, bid, charge_micros, factors)
            quotes = self._quotes(event, bid, shown) if price != FREE else UNCONVERTED
        unpaid = price != FREE and click.disposition in {BOT, LATENT}
        reason = f"{click.disposition}_click" if unpaid else ""
        if reason:
            price, quotes = FREE, UNCONVERTED
        assert price.spend_micros <= event.bid_micros, "no apply costs more than its link says"
        till = self._tills.at(event, at)
        full = till.take(Need(price.marked_micros, 0, applies))
        if applies:
            self.added.see(event, price.marked_micros, clicks=0, billed=full is None)
            if click.disposition in {VALID, OVER_CAP}:
                zone = self._zone
                self.added.ripen(event, day_of(event.click_at, zone), day_of(at, zone))
        if full is None:
            self._book(arrived, kind, COUNTED, reason, at, price, quotes)
        else:
            self._book(arrived, kind, OVER_CAP, name_of(full), at)

    def _organic(self, arrived: Conversion, kind: Kind) -> None:
        event = arrived.event
        ruling = self._ruling(event)
        if ruling.standing == "repeat":
            self._book(arrived, kind, DUPLICATE, "duplicate_application", event.at)
            return
        self._claim(ruling, b"", event.at)
        self._note(event, credited=False)
        self._book(arrived, kind, ORGANIC, "", event.at)

    def _timing(self, event: ReceivedConversion) -> tuple[str, Instant]:
        place = Place(event.click_client_no, event.campaign_no, event.group_no, event.publisher_no)
        days = self._terms.windows.get(place, 0) if self._terms else 0
        return timing_of(event.click_at, event.at, days, self._zone)

    def _claim(self, ruling: Ruling, click_random: bytes, at: Instant) -> None:
        for key in ruling.claims:
            self._known.keys[key] = click_random
            self.added.keys.append((self._client_no, key, click_random, at))

    def _note(self, event: ReceivedConversion, *, credited: bool) -> None:
        """Let the funnel find the application that an apply made."""
        if event.action != APPLY:
            return
        click, facts = (event.click_random, encode([event])) if credited else (b"", b"")
        keys = [application_key(event.application_id)] if event.application_id else []
        if event.candidate_id and event.job_id:
            keys.append(candidate_key(event.candidate_id, event.job_id.hex()))
        self.added.applied.extend((self._client_no, key, click, facts) for key in keys)

    def _park(self, arrived: Conversion, kind: Kind) -> None:
        event = arrived.event
        assert event.click_random, "only what waits for a click is parked"
        self.added.tally(self._client_no, kind, PARKED)
        self.added.parked.append(
            Parked(
                0,
                self._client_no,
                kind,
                event.click_random,
                body_of(arrived),
                event.at,
                event.at + PARKED_FOR,
            )
        )

    def _bury(self, arrived: Conversion, kind: Kind) -> None:
        """The click may be another client's: nothing that its id says is kept here."""
        event = arrived.event
        bare = ReceivedConversion(
            at=event.at,
            client_no=event.client_no,
            action=event.action,
            source=event.source,
            click_random=event.click_random,
            candidate_id=event.candidate_id,
            application_id=event.application_id,
        )
        self._book(arrived._replace(event=bare), kind, DEAD, "click_not_found", event.at)

    def _book(
        self,
        arrived: Conversion,
        kind: Kind,
        disposition: str,
        reason: str,
        at: Instant,
        price: Price = FREE,
        quotes: Quotes = UNCONVERTED,
    ) -> None:
        event = arrived.event
        assert disposition in ENTRY_DISPOSITIONS, "what is parked is no entry"
        if arrived.parked_no:
            self.added.unparked.append(arrived.parked_no)
            self.added.tally(self._client_no, kind, PARKED, -1)
        self.added.tally(self._client_no, kind, disposition)
        dated = booked(at, reason, self._open_at, self._zone)
        self.added.entries.append(
            entries.of_conversion(
                event,
                dated,
                disposition,
                price,
                entry_id=arrived.id,
                kind=kind,
                currency=self._currency,
                quotes=quotes,
            )
        )

    def _quotes(
        self, event: ReceivedClick | ReceivedConversion, bid_micros: int, price_micros: int
    ) -> Quotes:
        """Out of what its amounts were converted, which may be less than its link froze."""
        if event.quote == UNQUOTED:
            return UNCONVERTED
        currency = self._terms.currencies.get(event.publisher_no, "") if self._terms else ""
        stands = bid_micros == event.bid_micros
        return quotes_of(event.quote, price_micros, currency, bid_stands=stands)

    def _factors(self, event: ReceivedClick | ReceivedConversion, at: Instant) -> Factors:
        """The markups that hold where the event happened, at the instant that dates it."""
        marking = self._terms.markings.get(place_of(event)) if self._terms else None
        return marking.at(at) if marking else UNMARKED


def body_of(arrived: Conversion) -> bytes:
    """A conversion as it is parked: its entry's id, and the event as it was received."""
    return arrived.id + encode([arrived.event])
