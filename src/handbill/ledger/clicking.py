"""One client's clicks, judged in memory one after the other."""

from datetime import tzinfo

from handbill.core import entries, sightings
from handbill.core.charging import FREE, UNMARKED, EventUse, Factors, Price, name_of, price_of_click
from handbill.core.click_definitions import ClickEvidence, Definition, Location, class_of_click
from handbill.core.closing import booked, first_open
from handbill.core.entries import Classed
from handbill.core.judging import (
    INVALID,
    OVER_CAP,
    VALID,
    digest_of_agent,
    masked_ip,
)
from handbill.core.price_ends import Frozen, LinkState, counted
from handbill.core.rates import UNCONVERTED, UNQUOTED, Quotes, charge_at, quotes_of
from handbill.core.received import ReceivedClick, ReceivedConversion
from handbill.core.sightings import UNLOOKED, Sighting
from handbill.definitions.service import PublisherRules
from handbill.kit.instants import SECOND, Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger.address_days import address_day
from handbill.ledger.classing import frozen_of
from handbill.ledger.rows import JudgedClick
from handbill.ledger.runs import RECEIVED, REDELIVERED, Added, FormerRecords, Rules
from handbill.ledger.terms import ClientTerms
from handbill.ledger.tills import place_of


class ClickRun:
    """The initial state of a run of one client's events, and how its clicks are judged.

    ``judged_at``: every click stamped earlier is known, or here. ``now``: tells closed months.
    """

    def __init__(
        self,
        client_no: int,
        terms: ClientTerms | None,
        known: FormerRecords,
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
        self._tills = known.tills

    def click(self, event: ReceivedClick, visitor: bytes) -> None:
        added, known = self.added, self._known
        assert event.client_no == self._client_no, "a run is of one client"
        if event.random in known.clicks:
            added.tally(self._client_no, "CLICK", REDELIVERED)
            return
        location = self._rules.locate(event.ip)
        facts = known.facts
        standing = facts.standing(event)
        # Its link's price may have ended; the amounts of the click also hold for its applies.
        offer = counted(frozen_of(event), standing, event.at, facts.honoured)
        held = self._held(event)
        seen = self._seen(event, visitor, held, location, standing)
        disposition, reason, price = self._class_of(event, visitor, held, seen, offer)
        quotes = self._quotes(event, *offer[2:]) if price != FREE else UNCONVERTED
        judged = JudgedClick(self._client_no, disposition)
        if offer.bid_micros < event.bid_micros or offer.price_micros < event.price_micros:
            judged = JudgedClick(self._client_no, disposition, offer.bid_micros, offer.price_micros)
        assert (disposition == VALID) == (not reason), "what does not count has its reason"
        known.clicks[event.random] = judged
        added.clicks.append((event.random, judged, event.at))
        added.tally(self._client_no, "CLICK", RECEIVED)
        added.tally(self._client_no, "CLICK", disposition)
        digest = digest_of_agent(event.agent)
        added.agents[digest] = event.agent
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
                agent=digest,
                location=location,
                quotes=quotes,
                classed=self._classed(event, held, seen, offer),
            )
        )

    def _held(self, event: ReceivedClick) -> PublisherRules:
        """The rules for clicks at the place of the event."""
        held = self._terms.held.get(event.publisher_no) if self._terms else None
        return PublisherRules(self._rules.otherwise) if held is None else held

    def _classed(
        self, event: ReceivedClick, held: PublisherRules, seen: ClickEvidence, offer: Frozen
    ) -> Classed:
        """What it is classed by. A version is recorded in full the first time."""
        version, body = self._known.facts.version(held)
        self.added.versions[version] = body
        evidence = sightings.encode(_sighting(event, held, seen, offer))
        return Classed(version, seen.opened_at or 0, evidence)

    def _seen(
        self,
        event: ReceivedClick,
        visitor: bytes,
        held: PublisherRules,
        location: Location,
        standing: LinkState,
    ) -> ClickEvidence:
        opened_at = self._known.visits.get(visitor)
        before = self._clicks_before(event, held.rules)
        return self._known.facts.seen(event, standing, held, opened_at, location, before)

    def _class_of(
        self,
        event: ReceivedClick,
        visitor: bytes,
        held: PublisherRules,
        seen: ClickEvidence,
        offer: Frozen,
    ) -> tuple[str, str, Price]:
        if self._terms is None:
            return INVALID, "unknown_client", FREE
        why = class_of_click(held.rules, seen)
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
        full = till.take(EventUse(price.marked_micros, 1, 0))
        self.added.see(event, price.marked_micros, clicks=1, billed=full is None)
        return (VALID, "", price) if full is None else (OVER_CAP, name_of(full), FREE)

    def _clicks_before(self, event: ReceivedClick, rules: Definition) -> int:
        """The clicks of the address on this day so far, if they are limited; this one is counted
        too.
        """
        if rules.most_clicks is None or event.ahead or self._terms is None:
            return 0
        day_on = day_of(event.at, self._zone).isoformat()
        key = address_day(self._rules.key, self._client_no, day_on, event.ip)
        clicks = self._known.facts.clicks
        clicks[key] = clicks.get(key, 0) + 1
        self.added.address_days[key] = self.added.address_days.get(key, 0) + 1
        assert clicks[key] >= self.added.address_days[key], "those of this run are among them"
        return clicks[key] - 1

    def _quotes(
        self, event: ReceivedClick | ReceivedConversion, bid_micros: int, price_micros: int
    ) -> Quotes:
        """What its amounts were converted from; it may be less than its link froze."""
        if event.quote == UNQUOTED:
            return UNCONVERTED
        currency = self._terms.currencies.get(event.publisher_no, "") if self._terms else ""
        stands = bid_micros == event.bid_micros
        return quotes_of(event.quote, price_micros, currency, bid_stands=stands)

    def _factors(self, event: ReceivedClick | ReceivedConversion, at: Instant) -> Factors:
        """The markups at the event's place, at the instant that dates it."""
        marking = self._terms.markings.get(place_of(event)) if self._terms else None
        return marking.at(at) if marking else UNMARKED


def _sighting(
    event: ReceivedClick, held: PublisherRules, seen: ClickEvidence, offer: Frozen
) -> Sighting:
    """The evidence that may be kept; what no rule needed was not looked at."""
    rules, has_place = held.rules, seen.job_place is not None
    return Sighting(
        bid_micros=event.bid_micros,
        price_micros=event.price_micros,
        counted_bid_micros=offer.bid_micros,
        counted_price_micros=offer.price_micros,
        left_at=seen.left_at,
        replaced_at=seen.replaced_at,
        forgotten=seen.forgotten,
        ahead=seen.ahead,
        agent_is_bot=seen.agent_is_bot,
        listed=UNLOOKED if held.list_key is None else int(seen.address_is_bot),
        clicks_before=UNLOOKED if rules.most_clicks is None else seen.clicks_before,
        foreign=seen.foreign("CITY") if has_place or rules.foreign is not None else None,
        quote=event.quote,
    )
