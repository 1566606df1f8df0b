"""How much of the full spend a copy may let through, so that every cap above it is met.

Each cap is asked at each fetch of a publisher; the lowest answer counts. What others hold until
they fetch is **in flight**: it cannot be influenced. The rest is **open**.
**Units**: as in ``caps``; parts in parts per million. **Source**: domain 2.4, docs/decisions/0046.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from handbill.core.pacing.caps import CapMark
from handbill.kit.money import PPM, share_down

FLOOR_PPM = 10_000
"""Open spend counts for at least 1 % of the day's share; otherwise the little at the end of a day
would cause huge changes.
"""


class Ahead(NamedTuple):
    """The spend expected under a cap, today and tomorrow: in flight from copies that others hold
    until their next fetch, and open at the full bids.
    """

    flight_now: int = 0
    open_now: int = 0
    flight_then: int = 0
    open_then: int = 0


class CopyDemand(NamedTuple):
    """What the copy that is written now would spend at the full bids until it is replaced, today
    and tomorrow.
    """

    now: int
    then: int


class CapInputs(NamedTuple):
    """All that one cap contributes to a decision; ``name`` says which cap it is."""

    name: str
    mark: CapMark
    ahead: Ahead


class Want(NamedTuple):
    """The part of the full spend that a cap leaves to a copy: ``even`` by lower bids, ``fit`` by
    fewer listings.
    """

    even_ppm: int
    fit_ppm: int

    @property
    def least(self) -> int:
        return min(self.even_ppm, self.fit_ppm)


FREE = Want(PPM, PPM)


def want_of(view: CapInputs, life: CopyDemand) -> Want:
    """What one cap leaves to a copy with this life.

    Evenly: the rest of the share, less what is in flight, divided by what is open. A copy that
    lives past midnight is weighted over both days. Past the brake line, the copy's own spend must
    fit into the room that is left beside what is in flight.
    """
    mark, ahead = view.mark, view.ahead
    even_now = even_then = PPM
    if mark.even:
        floor = max(1, share_down(mark.share, FLOOR_PPM))
        even_now = _part(mark.left - ahead.flight_now, max(ahead.open_now, floor))
        even_then = _part(
            mark.tomorrow - ahead.flight_then,
            max(ahead.open_then, share_down(mark.tomorrow, FLOOR_PPM), 1),
        )
    even = weighed(life, even_now, even_then)
    in_flight = ahead.flight_now + (0 if mark.by_day else ahead.flight_then)
    if not mark.is_braking(in_flight) and mark.room > 0:
        return Want(even, PPM)
    if mark.by_day:
        fit_now = _part(mark.room - ahead.flight_now, max(1, life.now))
        return Want(even, weighed(life, fit_now, PPM))
    return Want(even, _part(mark.room - in_flight, max(1, life.now + life.then)))


def weighed(life: CopyDemand, now_ppm: int, then_ppm: int) -> int:
    """One answer for both days, each weighted by the copy's spend on it; rounded down."""
    whole = life.now + life.then
    if whole <= 0:
        return now_ppm
    return (life.now * now_ppm + life.then * then_ppm) // whole


def least_of(views: Sequence[CapInputs], life: CopyDemand) -> tuple[Want, str]:
    """The lowest answer over a cap tree, and the cap that gave it ("": none is binding)."""
    even = fit = PPM
    least, name = PPM, ""
    for view in views:
        want = want_of(view, life)
        even, fit = min(even, want.even_ppm), min(fit, want.fit_ppm)
        if want.least < least:
            least, name = want.least, view.name
    return Want(even, fit), name


class ChildDemand(NamedTuple):
    """What one child could spend of a parent's cap: at the full bids, and within its own caps."""

    full: int
    most: int


def filled(left: int, parts: Iterable[ChildDemand]) -> tuple[int, int]:
    """What is left and open of a parent, without the children whose own caps keep them below the
    common level: so these do not hold others back.

    The level ``left / open`` then spends what is left: each child at that part of its full spend,
    or at its own maximum.
    """
    known = sorted(
        (part for part in parts if part.full > 0), key=lambda part: part.most * PPM // part.full
    )
    rest, whole = max(0, left), sum(part.full for part in known)
    for part in known:
        if part.most * whole >= rest * part.full:
            break
        rest -= part.most
        whole -= part.full
    return rest, whole


def _part(left: int, whole: int) -> int:
    return min(max(left, 0) * PPM // whole, PPM)
