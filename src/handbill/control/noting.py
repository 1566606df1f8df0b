"""What a tick notes of each cap, and of the clicks that caps kept away, for those who ask."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from handbill.control.cap_rows import MOST_WHOLE, CapNoted
from handbill.control.learning import copy_of
from handbill.control.rows import KnownDemand, PairDay
from handbill.control.tree import CapTree
from handbill.control.weeks import Calendar
from handbill.core.in_force import Key, Paced
from handbill.core.pacing.caps import Felt
from handbill.core.pacing.copies import ShownCopy
from handbill.core.pacing.curves import come_by
from handbill.core.pacing.outlook import limited, missed
from handbill.core.standing.capping import CapKey, Capped, code_of
from handbill.core.standing.reasons import CAPPED, Code
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of, days_of_period, period_key, start_of

_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 8
_NOTHING_YET: Final = CapNoted()


def notes(
    tree: CapTree,
    former: Mapping[CapKey, CapNoted],
    capped: Mapping[CapKey, Capped],
    paced: Mapping[Key, Paced],
) -> dict[CapKey, CapNoted]:
    """What each cap does from this tick on, and for how long it has stopped or braked."""
    pacing = {one.cap for one in paced.values() if 0 < one.let_ppm < PPM}
    by_cap = {}
    for key, one in capped.items():
        code = code_of(one)
        felt = Felt.PACED if "/".join(key) in pacing else Felt.FULL
        if code is not None:
            felt = Felt.STOPPED if code in CAPPED else Felt.BRAKING
        period = period_key(one.cap.period, tree.today)
        first_on, _ = days_of_period(period)
        start_at = start_of(type(tree.today).fromisoformat(first_on), tree.zone) if first_on else 0
        before = former.get(key, _NOTHING_YET).limited
        holds = code in CAPPED or code is Code.CAP_BRAKING
        spell = limited(before, period, start_at, tree.now, holds=holds)
        by_cap[key] = CapNoted(felt, min(one.in_flight, MOST_WHOLE), spell)
    return by_cap


def missed_since(
    known: KnownDemand, paced: Paced, held: ShownCopy, week: Calendar, now: Instant
) -> Iterator[PairDay]:
    """The clicks that caps have kept away from a job group at a publisher since the last look, by
    day: the usual clicks that its copy did not let through.
    """
    if not held.version or not (paced.cap or not paced.let_ppm):
        return
    copy = copy_of(paced, held)
    today = day_of(now, week.zone)
    day = max(day_of(known.seen_at, week.zone), today - _MOST_DAYS * _DAY)
    while day <= today:
        curve = week.curve(day)
        first, last = max(known.seen_at, curve.start_at), min(now, curve.end_at)
        turn = min(max(copy.since, first), last)
        at_first, at_turn, at_last = (come_by(curve, at) for at in (first, turn, last))
        rate = known.demand.usual
        parts = (
            missed(rate * (at_turn - at_first), paced.held_let_ppm, copy.before_ppm),
            missed(rate * (at_last - at_turn), copy.let_ppm, copy.clicks_ppm),
        )
        by_bid, by_listing = (round(PPM * sum(part)) for part in zip(*parts, strict=True))
        if by_bid or by_listing:
            yield PairDay(
                paced.group_no,
                paced.publisher_no,
                day.isoformat(),
                missed_by_bid=by_bid,
                missed_by_listing=by_listing,
            )
        day += _DAY
