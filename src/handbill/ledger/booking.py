"""One client's run of events, judged in memory: what was known before, and what the run adds."""

from collections.abc import Iterable

from handbill.core import entries
from handbill.core.attribution import (
    APPLY,
    PARKED_FOR,
    Keys,
    Ruling,
    keys_of,
    late_keys_of,
    ruling_of,
    timing_of,
)
from handbill.core.charging import (
    FREE,
    EventUse,
    Place,
    Price,
    name_of,
    price_of_apply,
)
from handbill.core.closing import booked
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
)
from handbill.core.rates import UNCONVERTED, Quotes, charge_at
from handbill.core.received import ReceivedConversion, encode
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of
from handbill.ledger.clicking import ClickRun
from handbill.ledger.rows import JudgedClick, Parked
from handbill.ledger.runs import (
    RECEIVED,
    REDELIVERED,
    Added,
    Conversion,
    RunClick,
)


class ClientRun(ClickRun):
    """Judges one client's events in order. Clicks go before the conversions that they led to."""

    def judge(self, clicks: Iterable[RunClick], conversions: Iterable[Conversion]) -> Added:
        for event, visitor in clicks:
            self.click(event, visitor)
        for conversion in conversions:
            self._conversion(conversion)
        self.added.uses = self._tills.spending.additions()
        self.added.short = self._tills.spending.short
        for kind in {of for _, of, _ in self.added.tallies}:
            assert kind in KINDS, "only kinds are told apart"
            tally = {what: by for (_, of, what), by in self.added.tallies.items() if of == kind}
            tally.pop(REDELIVERED, None)
            received = tally.pop(RECEIVED, 0)
            assert not balance_of(received, tally.items()), "all that was received became something"
        return self.added

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
        click = self._known.clicks.get(event.click_random) if own else None
        if click is not None and click.client_no == self._client_no:
            self._attribute(arrived, kind, click)
        elif own and self._timing(event)[0] == "late":
            # Its click may have been forgotten by now, and would make no difference.
            self._out_of_time(arrived, kind, event.at)
        elif arrived.parked_no and arrived.due_at <= self._judged_at:
            self._bury(arrived, kind)
        elif not arrived.parked_no:
            self._park(arrived, kind)

    def _attribute(self, arrived: Conversion, kind: Kind, click: JudgedClick) -> None:
        event = arrived.event
        assert click.client_no == self._client_no == event.click_client_no, "the click is its own"
        if click.disposition == INVALID:  # of a test: it must not stand for a later one
            self._book(arrived, kind, INVALID, "invalid_click", event.at)
            return
        keys = _keys_of(event)
        ruling = self._ruling(keys)
        if ruling.standing == "repeat":
            self._repeat(arrived, kind, keys, ruling)
            return
        timing, at = self._timing(event)
        if timing == "late":
            self._out_of_time(arrived, kind, at)
        elif timing == "precedes_click":
            self._book(arrived, kind, INVALID, "precedes_click", at)
        else:
            self._claim(ruling, event.click_random, at)
            self._note(event, credited=True)
            if ruling.standing == "further" and self._pays_one(event):
                self._book(arrived, kind, FURTHER, "", at)
            else:
                self._count(arrived, kind, at, click)

    def _out_of_time(self, arrived: Conversion, kind: Kind, at: Instant) -> None:
        """Book what came after its window: once as late, and any other report of it as a repeat."""
        event = arrived.event
        assert event.click_random, "only a click opens a window"
        after_click = event.at - event.click_at
        late = late_keys_of(event.action, event.click_random, event.application_id, after_click)
        for keys in (_keys_of(event), late):
            ruling = self._ruling(keys)
            if ruling.standing == "repeat":
                self._repeat(arrived, kind, keys, ruling, credited=keys is not late)
                return
        self._claim(ruling, event.click_random, at)
        self._note(event, credited=False)
        self._book(arrived, kind, LATE, "window", at)

    def _ruling(self, keys: Keys) -> Ruling:
        return ruling_of(keys, self._known.keys)

    def _repeat(
        self, arrived: Conversion, kind: Kind, keys: Keys, ruling: Ruling, *, credited: bool = True
    ) -> None:
        """Book a repeat, whoever reported the conversion first; it is free."""
        event = arrived.event
        assert ruling.standing == "repeat", "what is new is not free"
        first = self._known.keys.get(keys.application or "", event.click_random)
        self._claim(ruling, event.click_random, event.at)
        if ruling.names_it:
            self._note(event, credited=credited)
        reason = "" if first == event.click_random else "duplicate_application"
        self._book(arrived, kind, DUPLICATE, reason, event.at)

    def _pays_one(self, event: ReceivedConversion) -> bool:
        """Whether the publisher is paid for only one apply of a click."""
        by_apply = event.action == APPLY and event.bid_type == "CPA"
        return by_apply and not (self._terms and event.publisher_no in self._terms.pay_every_apply)

    def _count(self, arrived: Conversion, kind: Kind, at: Instant, click: JudgedClick) -> None:
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
        full = till.take(EventUse(price.marked_micros, 0, applies))
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
        ruling = self._ruling(_keys_of(event))
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
        """Let the funnel find the application that an apply created, and its place: that of its
        click if it is credited; of an organic one, the job that its page named.
        """
        if event.action != APPLY:
            return
        click = event.click_random if credited else b""
        facts = encode([event]) if credited or not event.click_random else b""
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
        """Book a dead conversion without its click's facts: the click may be another client's."""
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


def _keys_of(event: ReceivedConversion) -> Keys:
    return keys_of(event.action, event.click_random, event.application_id)


def body_of(arrived: Conversion) -> bytes:
    """A conversion in the form in which it is parked: its entry's id and the event as received."""
    return arrived.id + encode([arrived.event])
