"""The pairs of a job group and a publisher, with all that is known of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from handbill.control.learning import CopyShare, apply_ppm, copy_of
from handbill.control.rows import KnownDemand
from handbill.control.tree import CapTree, Pair
from handbill.control.weeks import Calendar
from handbill.core.charging import Measure
from handbill.core.in_force import Key, Paced
from handbill.core.pacing.copies import UNKNOWN_RHYTHM, ShownCopy, next_fetch
from handbill.core.pacing.plans import CopyDemand
from handbill.core.pacing.streams import ClickFlow, ClickStream, flow_of, life_of, spends
from handbill.kit.instants import Instant
from handbill.kit.money import PPM, share_down

NO_FLOW: Final = ClickFlow(0, 0, 0, 0)
"""No clicks are expected."""


@dataclass(slots=True)
class Side:
    """One pair, with all that is known of it."""

    pair: Pair
    copy: CopyShare
    held: ShownCopy | None
    stream: ClickStream
    apply_ppm: int
    due_at: Instant
    """When its publisher is expected; it may be late."""
    rhythm: Instant
    own: ClickFlow = NO_FLOW
    other: ClickFlow = NO_FLOW
    flows: dict[tuple[Measure, bool], ClickFlow] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.pair.key

    def unit(self, measure: Measure) -> int:
        """What a click takes of a cap, in millionths of what the cap counts."""
        if measure == "budget":
            return self.stream.full_micros
        return PPM if measure == "clicks" else self.apply_ppm

    def flow(self, measure: Measure, *, steered: bool = False) -> ClickFlow:
        """Its spend in what a cap counts; computed once, for all caps above."""
        flow = self.flows.get((measure, steered))
        if flow is None:
            let = self.copy.let_ppm if measure == "budget" else self.copy.clicks_ppm
            flow = spends(self.own if steered else self.other, self.unit(measure), let)
            self.flows[measure, steered] = flow
        return flow

    def life(self, now: Instant) -> CopyDemand:
        """The life of the copy that will be fetched next."""
        first = max(now, self.due_at)
        return life_of(self.stream, first, first + self.rhythm)


def sides_of(
    tree: CapTree,
    known: Mapping[Key, KnownDemand],
    paced: Mapping[Key, Paced],
    held: Mapping[int, ShownCopy],
    weeks: Mapping[int, Calendar],
) -> dict[Key, Side]:
    """The pairs that have jobs to offer."""
    return {
        pair.key: _side(tree, pair, known, paced.get(pair.key), held, weeks)
        for pair in tree.pairs
        if pair.stock.jobs and pair.trades
    }


def ended_sides(
    tree: CapTree,
    known: Mapping[Key, KnownDemand],
    paced: Mapping[Key, Paced],
    held: Mapping[int, ShownCopy],
    weeks: Mapping[int, Calendar],
) -> dict[Key, Side]:
    """The pairs that have nothing to offer any more: paused, removed, or out of jobs. What their
    publishers' copies bring is still spent.
    """
    sides = {}
    for pair in (*tree.pairs, *tree.gone):
        before = paced.get(pair.key)
        if before is None or (pair.stock.jobs and pair.trades):
            continue
        side = _side(tree, pair, known, before, held, weeks)
        side.own = NO_FLOW
        side.other = side.other._replace(open_now=0, open_then=0)
        sides[pair.key] = side
    return sides


def _side(
    tree: CapTree,
    pair: Pair,
    known: Mapping[Key, KnownDemand],
    paced: Paced | None,
    held: Mapping[int, ShownCopy],
    weeks: Mapping[int, Calendar],
) -> Side:
    one, week, had = known[pair.key], weeks[pair.key[1]], held.get(pair.key[1])
    copy = copy_of(paced, had)
    rhythm = had.rhythm if had else UNKNOWN_RHYTHM
    due_at, next_at, let = tree.now, tree.now, 0
    if had is not None and had.version:
        due_at, let = had.fetched_at + rhythm, copy.let_ppm
        next_at = next_fetch(had.fetched_at, rhythm, tree.now)
    rate_ppm = apply_ppm(one)
    full = pair.marked(pair.stock.mean_micros or (paced.base_micros if paced else 0))
    if pair.terms.bid_type == "CPA":
        full = share_down(full, rate_ppm)
    stream = ClickStream(
        full,
        one.demand.today,
        one.demand.usual,
        week.curve(tree.today),
        week.curve(tree.today + timedelta(days=1)),
        let,
        next_at,
    )
    return Side(
        pair,
        copy,
        had,
        stream,
        rate_ppm,
        due_at,
        rhythm,
        flow_of(stream, tree.now, steered=True),
        flow_of(stream, tree.now, steered=False),
    )
