"""What must hold after each step, compared with what the doors received and were asked for.

The ledger's entries are folded here a second time, by the agency's own ids, and compared with its
caps, with what every visitor saw, and with what the doors acknowledged.
"""

from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from operator import attrgetter
from typing import Any, Final, NoReturn

from handbill.core.charging import MEASURES
from handbill.core.judging import TAKES_ROOM
from handbill.kit.instants import HOUR, Instant, iso_of
from handbill.kit.money import MICROS, PPM
from handbill.kit.zones import PERIODS, period_key
from handbill.ledger.checking import check
from handbill.simulate.beliefs import miscounted_caps, unknown_fetches
from handbill.simulate.bid_log import LoggedBids
from handbill.simulate.bidding import beyond_targets, other_prices
from handbill.simulate.boards import AcknowledgedClick, AdBoard, BoardJob
from handbill.simulate.employers import CapOf, CapSet
from handbill.simulate.facts import QUOTED, EntryPlace, Fact, Holder, OfDay, Used, add_to, keys_of
from handbill.simulate.house import House
from handbill.simulate.known_ids import KnownIds
from handbill.simulate.purchases import Purchases
from handbill.simulate.ruled import EntryFigures, Ruled
from handbill.simulate.trade import Trade
from handbill.simulate.visitors import NO_PEOPLE, Comers
from handbill.store import segment_files, segments

_HONOURED = 48 * HOUR
_MEMORY_MB = 256
_SMALL_REST = MICROS
"""A budget with less left counts as reached."""
_KIND: Final = {period[0]: period for period in PERIODS}


class Broken(Exception):
    """Something does not hold; the message says what, and when."""


class Truth:
    """All entries so far, folded; each is checked when it is read."""

    def __init__(
        self, house: House, trade: Trade, public: Comers, ruled: Ruled, purchases: Purchases
    ) -> None:
        self._house, self._trade, self._public = house, trade, public
        self._purchases = purchases
        self._ruled = ruled
        self.days: dict[str, OfDay] = {}
        self._ids: set[bytes] = set()
        self._files: set[str] = set()
        self._used: Used = defaultdict(lambda: [0, 0, 0])
        self._known = KnownIds(trade)
        self.bids = LoggedBids(trade)
        self._conversions = 0
        self._stack = ExitStack()
        self._duck = self._stack.enter_context(
            segment_files.query(house.settings.scratch_folder, memory_mb=_MEMORY_MB, threads=1)
        )
        # Beside what the API is asked: most of it is DuckDB's work, on another core.
        self._aside = self._stack.enter_context(ThreadPoolExecutor(1, "checks"))
        self._now: Instant = 0
        self._began = house.outside.clock.now()

    def close(self) -> None:
        self._stack.close()

    # ── after each step ─────────────────────────────────────────────────────────────────────────

    def look(self) -> None:
        """Check after a step. **Refuses** (Broken) whatever does not hold."""
        self._now = self._house.outside.clock.now()
        for complaint in self._house.complaints():
            self._blame(complaint)
        facts = self._new_facts()
        touched = self._fold(facts)
        self._check_caps(touched)
        heard = self._public.heard
        if heard.visits:
            (one, *_), count = heard.visits.values(), len(heard.visits)
            self._blame(f"{count} acknowledged clicks are not judged, such as {one}")
        if self._conversions > heard.conversions:
            self._blame(
                f"{self._conversions} conversions are judged, {heard.conversions} were taken"
            )
        with self._house.tools.records.read() as tx:
            known = self._known.publishers, self._known.numbers("client")
            for wrong in unknown_fetches(tx, *known, self._public.shown, self._now):
                self._blame(wrong)
        for shown in self._public.shown:
            self._check_copy(shown)
        self._check_told(self._ruled.look())

    def end(self) -> None:
        """Check after the last step."""
        for wrong in self._purchases.end():
            self._blame(wrong)
        offered = any(shown.has_offered for shown in self._public.shown)
        self._check_told(self.bids.end(offered=offered))
        self._check_told(self._ruled.end())

    def _check_told(self, asked: Coroutine[Any, Any, list[str]]) -> None:
        for wrong in self._house.run(asked):
            self._blame(wrong)

    def _new_facts(self) -> list[Fact]:
        """Entries of files that were not listed before, and were not made from listed ones."""
        with self._house.tools.records.read() as tx:
            self._known.learn(tx)
            every = segments.every_segment(tx)
        listed = {segment.path for segment in every}
        new = [segment for segment in every if segment.path not in self._files]
        former, self._files = self._files - listed, listed
        reading = self._aside.submit(self._facts_in, new)
        self._house.run(self._ruled.read_runs())
        facts = reading.result()
        fresh = [fact for fact in facts if fact.id not in self._ids]
        if len(fresh) < len(facts) and not former:
            self._blame(f"{len(facts) - len(fresh)} entries are there twice")
        ids = {fact.id for fact in fresh}
        if len(ids) < len(fresh):
            self._blame(f"{len(fresh) - len(ids)} events have two dispositions")
        self._ids |= ids
        return fresh

    def _facts_in(self, some: Sequence[segments.Segment]) -> list[Fact]:
        """The entries of segments, in order."""
        if not some:
            return []
        with segment_files.files(
            self._house.tools.blobs, some, self._house.settings.scratch_folder
        ) as files:
            text = f"SELECT {QUOTED} FROM {segment_files.source(files, None)}"
            facts = [Fact(*row) for row in self._duck.execute(text).fetchall()]
        return sorted(facts, key=attrgetter("at", "id"))

    # ── folding ─────────────────────────────────────────────────────────────────────────────────

    def _fold(self, facts: Iterable[Fact]) -> dict[tuple[Holder, str], list[int]]:
        """Add entries up; returns what was used before of everything that they affect."""
        taken: dict[EntryPlace, list[int]] = defaultdict(lambda: [0, 0, 0])
        for fact in facts:
            self._check_fact(fact)
            self._tell(fact)
            self._count(fact)
            if fact.kind == "POSTING":  # it is paid for beside all caps
                self._purchases.booked(fact)
                continue
            takes = fact.disposition in TAKES_ROOM and fact.kind in {"CLICK", "APPLY"}
            if not takes and not fact.marked_micros:
                continue
            by = (fact.marked_micros, int(fact.kind == "CLICK"), int(fact.kind == "APPLY"))
            add_to(taken[self._known.place_of(fact)], by)
        before: dict[tuple[Holder, str], list[int]] = {}
        for place, amounts in taken.items():
            for key in keys_of(place):
                used = self._used[key]
                before.setdefault(key, list(used))
                add_to(used, amounts)
        return before

    def _count(self, fact: Fact) -> None:
        """What rules see of it."""
        names = self._known.of
        came = EntryFigures(
            client=self._known.employer_of(fact),
            at=fact.at,
            group=names["group"].get(fact.group_no, ""),
            publisher=names["publisher"].get(fact.publisher_no, ""),
            clicks=int(fact.kind == "CLICK" and fact.disposition == "valid"),
            applies=int(fact.kind == "APPLY" and fact.disposition in {"counted", "over_cap"}),
            spend_micros=fact.spend_micros,
        )
        self._ruled.count(came)

    def _tell(self, fact: Fact) -> None:
        of_day = self._day(fact.at)
        if fact.kind == "CLICK":
            of_day.classes[fact.disposition] += 1
        elif fact.kind == "HIRE":
            of_day.hires += 1
        elif fact.kind != "POSTING":
            self._conversions += 1
            of_day.applies += fact.kind == "APPLY" and fact.disposition in TAKES_ROOM
        of_day.charged_micros += fact.charge_micros
        of_day.spend_micros += fact.spend_micros

    def _day(self, at: Instant) -> OfDay:
        day = iso_of(at)[:10]
        return self.days.setdefault(day, OfDay(day=day))

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def _check_fact(self, fact: Fact) -> None:
        """An entry says of a click what the visitor saw."""
        if not 0 <= fact.charge_micros <= fact.spend_micros:
            self._blame(f"{fact} is charged more than is spent")
        marked = fact.spend_micros * (100 + self._markup_percent(fact)) // 100
        if not marked <= fact.marked_micros <= marked + 1:
            self._blame(f"{fact} is marked up otherwise")
        if fact.kind != "CLICK":
            return
        visit = self._public.heard.visits.pop(fact.id, None)
        if visit is None:
            self._blame(f"{fact} was never acknowledged, or is judged twice")
        if (visit.kind in NO_PEOPLE) != (fact.disposition == "bot"):
            self._blame(f"{visit} became {fact}")
        if fact.disposition == "over_cap":
            rate_ppm = self._trade.rates_ppm[visit.outlet.currency][-1]
            self._day(fact.at).unbilled_micros += visit.offer.cpc_micros * rate_ppm // PPM
        if fact.disposition == "valid" and fact.bid_type != "CPA":
            self._check_price(fact, visit)

    def _check_price(self, fact: Fact, visit: AcknowledgedClick) -> None:
        is_fresh = visit.at - visit.copied_at < _HONOURED
        shown, rates = visit.offer.cpc_micros, self._trade.rates_ppm[visit.outlet.currency]
        least, most = shown * min(rates) // PPM, -(-shown * max(rates) // PPM)
        if fact.charge_micros > most or (is_fresh and fact.charge_micros < least):
            self._blame(f"{visit} is charged otherwise: {fact}")

    def _markup_percent(self, fact: Fact) -> int:
        if fact.kind == "POSTING" and fact.at < self._began:
            return 0  # a purchase's first day began before its client had a markup
        return self._known.employer_of(fact).markup_percent

    def _check_caps(self, touched: Mapping[tuple[Holder, str], list[int]]) -> None:
        """A counter above its cap has not grown: a cap may be set below what is used."""
        for key, before in touched.items():
            (scope, ids), period = key
            for place, measure in enumerate(MEASURES):
                asked = CapOf(scope, ids[:1] if scope == "group_job" else ids, measure)
                cap = self._trade.caps.get(asked)
                used = self._used[key][place]
                if cap is None or _KIND[period[0]] != cap.period or used <= before[place]:
                    continue
                if used > cap.value:
                    self._blame(
                        f"{scope} {' '.join(ids)} used {used} of {cap.value} {measure} in {period}"
                    )
                if scope == "group" and measure == "budget":
                    self._check_locked(ids[0], period, cap, touched)

    def _check_locked(
        self,
        group_id: str,
        period: str,
        cap: CapSet,
        touched: Mapping[tuple[Holder, str], list[int]],
    ) -> None:
        """The use of others leaves each locked placement the rest of its budget."""
        locked = self._trade.locked.get(group_id)
        if locked is None:
            return
        holder: Holder = ("placement", (group_id, locked))
        own = self._trade.caps[CapOf("placement", (group_id, locked), "budget")]
        mine = self._used.get((holder, period), [0])[0]
        of_group: tuple[Holder, str] = (("group", (group_id,)), period)
        used, before = self._used[of_group][0], touched[of_group][0]
        by_others = used - before - (mine - touched.get((holder, period), [mine])[0])
        if by_others and own.period == cap.period and used + max(0, own.value - mine) > cap.value:
            self._blame(f"of {group_id} others took what is locked for {locked} in {period}")

    def _check_copy(self, shown: AdBoard) -> None:
        """A copy that was just fetched shows nothing of a job group that does not advertise."""
        at = shown.fetched_at
        if at is None or at == shown.checked_at:
            return
        shown.checked_at = at
        by_group: dict[str, list[BoardJob]] = {}
        for offer in shown.offers:
            group = self._trade.group_of(offer.ref)
            by_group.setdefault(group.id if group else "", []).append(offer)
            if not group or not self._trade.advertises(group, shown.outlet, offer.ref, at):
                self._blame(f"{shown.outlet.id} is shown {offer.ref}, which is not to be: {group}")
            if shown.client not in {"", group.client.id}:
                self._blame(f"{shown.outlet.id} is shown {offer.ref} in the file of {shown.client}")
        for one in beyond_targets(shown.outlet, shown.offers, self._trade):
            self._blame(one)
        self._check_prices(shown, by_group, at)

    def _check_prices(
        self, shown: AdBoard, by_group: Mapping[str, list[BoardJob]], at: Instant
    ) -> None:
        """A copy shows the prices that were decided."""
        with self._house.tools.records.read() as tx:
            numbers = self._known.numbers("group")
            for group_id, offers in by_group.items():
                place = numbers[group_id], self._known.publishers[shown.outlet.id]
                rates = self._trade.rates_ppm[shown.outlet.currency]
                if other := other_prices(tx, *place, offers, at, rates):
                    self._blame(f"{shown.outlet.id} is shown {other} micros of {group_id}")

    # ── at the end of a day ─────────────────────────────────────────────────────────────────────

    def end_day(self, day: str) -> None:
        """The ledger's own check of all books, and its sums compared with the doors'."""
        tools, settings = self._house.tools, self._house.settings
        folders = settings.scratch_folder, settings.journal_folder
        checking = self._aside.submit(check, tools.records, tools.blobs, *folders)
        of_day = self.days.setdefault(day, OfDay(day=day))
        of_day.caps_reached = sum(self._is_reached(asked, cap) for asked, cap in self._caps())
        self._check_told(self.bids.look())
        self._check_told(self._purchases.look())
        self._house.run(self._check_budgets())
        self._check_told(self._ruled.end_day())
        books = checking.result()
        for fault in books.faults:
            self._blame(f"ledger check: {fault}")
        heard = self._public.heard
        spent = sum(one.spend_micros for one in self.days.values())
        if books.sums["spendMicros"] != spent:
            self._blame(f"the ledger says {books.sums['spendMicros']} spent, its entries {spent}")
        taken = self._conversions + books.sums["parked"]
        if taken != heard.conversions:
            self._blame(f"{heard.conversions} conversions were taken, {taken} were judged")

    async def _check_budgets(self) -> None:
        """What the API says of each client's caps."""
        for one in self._trade.employers:
            budget = await self._trade.ask("GET", f"/clients/{one.id}/budget")
            for wrong in miscounted_caps(budget, self._used, one.day(self._now)):
                self._blame(wrong)

    def _caps(self) -> list[tuple[CapOf, CapSet]]:
        return [item for item in self._trade.caps.items() if item[0].scope != "group_job"]

    def _is_reached(self, asked: CapOf, cap: CapSet) -> bool:
        employer = self._trade.holder_of(asked)
        if employer is None:
            return False
        period = period_key(cap.period, employer.day(self._now - 1))
        used = self._used.get(((asked.scope, asked.ids), period))
        place = MEASURES.index(asked.measure)
        return used is not None and cap.value - used[place] <= (_SMALL_REST if place == 0 else 0)

    def _blame(self, what: str) -> NoReturn:
        raise Broken(f"{iso_of(self._now)}: {what}")
