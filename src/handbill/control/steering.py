"""What each job group offers each publisher from its next copy on, so that every cap is met."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import sub

from handbill.control.learning import SOON, CopyShare, copy_of
from handbill.control.sides import NO_FLOW, Side
from handbill.control.stopping import kept_for_others, mark_at
from handbill.control.tree import CapTree, Pair
from handbill.core.bids import BidSource
from handbill.core.charging import Scope
from handbill.core.in_force import Key, Paced
from handbill.core.pacing.bids import BidLine, Inputs, PacedBid, decided
from handbill.core.pacing.caps import CapMark
from handbill.core.pacing.demand import ELASTICITY_PPM, clicks_let
from handbill.core.pacing.plans import Ahead, CapInputs, ChildDemand, filled
from handbill.core.pacing.streams import ClickFlow, ahead_in
from handbill.core.pacing.targets import TargetRate
from handbill.core.rates import PICOS
from handbill.core.standing.capping import CapKey
from handbill.kit.instants import Instant
from handbill.kit.money import PPM, share_down


@dataclass(slots=True)
class Steering:
    """One look at all caps of a client, and at the spend below them. ``ended``: pairs that have
    nothing to offer any more.
    """

    tree: CapTree
    marks: Mapping[CapKey, CapMark]
    sides: Mapping[Key, Side]
    ended: Mapping[Key, Side]
    weekdays: Sequence[int]
    ceiling_ppm: int
    targets: Mapping[Key, TargetRate]
    below: dict[CapKey, list[Side]] = field(default_factory=dict)
    totals: dict[CapKey, ClickFlow] = field(default_factory=dict)
    spared: dict[CapKey, Ahead] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.below = {key: [] for key in self.tree.caps}
        for side in self.sides.values():
            for cap in self.tree.over[side.pair.place]:
                self.below[cap].append(side)
        flows = {cap: [side.flow(cap[2]) for side in some] for cap, some in self.below.items()}
        for side in self.ended.values():
            for cap in self.tree.over[side.pair.place]:
                flows[cap].append(side.flow(cap[2]))
        self.totals = {cap: _summed(some) for cap, some in flows.items()}
        self.spared = {
            cap: self._spared(cap)
            for cap, some in self.below.items()
            if len(some) > 1 and self.marks[cap].even
        }

    def in_flight(self, cap: CapKey) -> int:
        """What publishers hold that will probably be spent before the cap has new room."""
        ahead = ahead_in([self.totals[cap]])
        return ahead.flight_now + (0 if self.marks[cap].by_day else ahead.flight_then)

    def step(self, side: Side, paced: Paced | None) -> Inputs:
        """Everything that determines a pair's bid."""
        pair, terms = side.pair, side.pair.terms
        base = max(1, pair.stock.mean_micros)
        is_fixed = terms.bid_type in {"FLAT_CPC", "Organic"}
        is_known = paced is not None and paced.base_micros == base
        return Inputs(
            base_micros=base,
            source=_source(pair),
            min_bid_micros=base if is_fixed else terms.least_micros,
            whole_micros=terms.whole_micros,
            markdown_ppm=terms.markdown_ppm,
            unit_micros=terms.unit_micros,
            former_micros=paced.bid_micros if paced is not None and is_known else 0,
            rule_ppm=PPM,
            target=self.targets.get(side.key),
            views=tuple(self._views(side)),
            life=side.life(self.tree.now),
            elasticity_ppm=ELASTICITY_PPM,
            matching_jobs=pair.stock.jobs,
            start_ppm=_start(side, paced),
            rate_picos=terms.exchange.picos(terms.currency) or PICOS,
            said_micros=pair.stock.said_micros,
        )

    def _views(self, side: Side) -> Iterator[CapInputs]:
        for cap in self.tree.over[side.pair.place]:
            mark = self.marks[cap]
            if not mark.even and mark.brake is None:
                continue
            if kept := kept_for_others(self.tree, cap, side.pair.place):
                value = max(0, self.tree.caps[cap].cap.value - kept)
                mark = mark_at(self.tree, cap, self.weekdays, self.ceiling_ppm, value)
            yield CapInputs("/".join(cap), mark, self._ahead(cap, side))

    def _ahead(self, cap: CapKey, side: Side) -> Ahead:
        """What is ahead of a cap when this pair's copy is replaced; without ``spared``."""
        others = _less(self.totals[cap], side.flow(cap[2]))
        ahead = ahead_in([others, side.flow(cap[2], steered=True)])
        spared = self.spared.get(cap)
        if spared is None:
            return ahead
        return Ahead(
            ahead.flight_now + spared.flight_now,
            max(0, ahead.open_now - spared.open_now),
            ahead.flight_then + spared.flight_then,
            max(0, ahead.open_then - spared.open_then),
        )

    def _spared(self, cap: CapKey) -> Ahead:
        """What those below a cap will use whose own caps keep them below the common level: it
        counts as in flight, and not as open.
        """
        mark, ahead = self.marks[cap], ahead_in([self.totals[cap]])
        children = self._children(cap)
        now = [ChildDemand(full.open_now, min(full.open_now, most[0])) for full, most in children]
        then = [
            ChildDemand(full.open_then, min(full.open_then, most[1])) for full, most in children
        ]
        left_now = max(0, mark.left - ahead.flight_now)
        left_then = max(0, mark.tomorrow - ahead.flight_then)
        rest_now, open_now = filled(left_now, now)
        rest_then, open_then = filled(left_then, then)
        whole_now, whole_then = sum(one.full for one in now), sum(one.full for one in then)
        return Ahead(
            left_now - rest_now,
            whole_now - open_now,
            left_then - rest_then,
            whole_then - open_then,
        )

    def _children(self, cap: CapKey) -> Iterator[tuple[Ahead, tuple[int, int]]]:
        """The children of a cap: job groups or, below a job group, its placements. Of each: what it
        would spend at full bids, and what its own caps leave it, now and tomorrow.
        """
        scope, _, measure = cap
        by_child: dict[tuple[Scope, str], list[Side]] = {}
        for side in self.below[cap]:
            group_no, publisher_no = side.key
            child: tuple[Scope, str] = ("placement", f"{group_no}/{publisher_no}")
            if scope in {"client", "campaign"}:
                child = ("group", f"{group_no}")
            by_child.setdefault(child, []).append(side)
        for (kind, entity), sides in by_child.items():
            full = ahead_in(side.flow(measure) for side in sides)
            own = (kind, entity, measure)
            mark = self.marks.get(own)
            if mark is None:
                yield full, (full.open_now, full.open_then)
                continue
            yield (
                full,
                (
                    max(0, (mark.left if mark.even else mark.room) - full.flight_now),
                    max(0, mark.tomorrow - full.flight_then),
                ),
            )


def is_due(side: Side, paced: Paced | None, now: Instant) -> bool:
    """Whether a new decision for a pair is due: its publisher is expected and has fetched the last
    one; or no fetch is known, and the last decision is old enough.
    """
    if paced is None or paced.is_ended or paced.base_micros != max(1, side.pair.stock.mean_micros):
        return True
    if side.held is None or not side.held.version:
        return now - paced.decided_at >= SOON
    return is_expected(side, now) and side.held.fetched_at > paced.decided_at


def is_expected(side: Side, now: Instant) -> bool:
    """Whether a publisher with known fetches is expected any minute."""
    return side.held is not None and side.held.version > 0 and side.due_at - now <= SOON


def decision(side: Side, step: Inputs, paced: Paced | None, now: Instant) -> tuple[Paced, BidLine]:
    """The decision, as it is in force from now on."""
    bid = decided(step)
    held = copy_of(paced, side.held)
    return _paced(side, step, bid, held, now), BidLine(step, bid)


def _paced(side: Side, step: Inputs, bid: PacedBid, held: CopyShare, now: Instant) -> Paced:
    group_no, publisher_no = side.key
    jobs = step.matching_jobs
    listed = bid.window.jobs * PPM // jobs if jobs else 0
    return Paced(
        group_no=group_no,
        publisher_no=publisher_no,
        base_micros=step.base_micros,
        bid_micros=bid.bid_micros,
        price_micros=bid.price_micros,
        factor_ppm=bid.factor_ppm,
        floor_micros=side.pair.terms.least_micros,
        matching=jobs,
        first=bid.window.first,
        jobs=bid.window.jobs,
        start_ppm=step.start_ppm,
        next_ppm=bid.window.next_ppm,
        let_ppm=bid.let_ppm,
        clicks_ppm=share_down(clicks_let(bid.factor_ppm, step.elasticity_ppm), listed),
        held_let_ppm=held.let_ppm,
        held_clicks_ppm=held.clicks_ppm,
        decided_at=now,
        cap=bid.cap,
    )


def ended(side: Side, before: Paced, now: Instant) -> Paced | None:
    """What is kept of a pair that has nothing to offer any more; None once its publisher shows
    nothing of it.
    """
    copy = side.copy
    if side.held is None or not side.held.version or not (copy.let_ppm or copy.clicks_ppm):
        return None
    if before.is_ended:
        return before
    start = _start(side, before)
    return before._replace(
        factor_ppm=PPM,
        matching=0,
        first=0,
        jobs=0,
        start_ppm=start,
        next_ppm=start,
        let_ppm=0,
        clicks_ppm=0,
        held_let_ppm=copy.let_ppm,
        held_clicks_ppm=copy.clicks_ppm,
        decided_at=now,
        cap="",
    )


def _start(side: Side, paced: Paced | None) -> int:
    """Where the window over the jobs begins: if nobody fetched a copy, its jobs are still due."""
    if paced is None:
        return 0
    had = side.held is not None and side.held.version >= paced.decided_at
    return paced.next_ppm if had else paced.start_ppm


def _source(pair: Pair) -> str:
    if pair.terms.bid_type == "FLAT_CPC":
        return BidSource.FLAT
    return BidSource.PLACEMENT if pair.terms.placement_micros is not None else BidSource.GROUP


def _summed(flows: Iterable[ClickFlow]) -> ClickFlow:
    return ClickFlow(*map(sum, zip(*flows, strict=True))) if (flows := tuple(flows)) else NO_FLOW


def _less(whole: ClickFlow, part: ClickFlow) -> ClickFlow:
    return ClickFlow(*map(sub, whole, part))
