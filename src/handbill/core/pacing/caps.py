"""What a cap means: its wall, the day's share, its ceiling, the brake line, and when it stops.

**Units**: amounts are whole millionths of what the cap counts: micros of its currency, or
millionths of a click or an apply. **Source**: domain 2.3, 2.4, docs/decisions/0046.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from handbill.core.nouns import Cap
from handbill.kit.money import PPM, share_down

CEILING_PPM: Final = 1_200_000
LEAST_CEILING_PPM: Final = 1_000_000
MOST_CEILING_PPM: Final = 2_000_000


class DeliveryMode(StrEnum):
    """EVEN: spread over the day as its traffic comes, by lower bids. ASAP: at the bids as set."""

    EVEN = "EVEN"
    ASAP = "ASAP"


class Felt(StrEnum):
    """The effect of a cap on listings now, from the weakest to the strongest."""

    FULL = "FULL"
    PACED = "PACED"
    BRAKING = "BRAKING"
    STOPPED = "STOPPED"


class Days(NamedTuple):
    """Weights of the days that a cap has still to serve: of its own period until its entity ends,
    today first; and of tomorrow's period, tomorrow first (the same period or the next).
    """

    weights: Sequence[int]
    later: Sequence[int]
    renews: bool
    """Whether tomorrow is the first day of a new period."""
    past: int = 0
    """The weight of the days of a month that are over."""

    def evenly_used(self, value: int) -> int:
        """How much of a value an even use of all days has used when today ends."""
        whole = self.past + sum(self.weights)
        return value * (self.past + self.weights[0]) // whole if whole else 0


class CapMark(NamedTuple):
    """The state of a cap on a day. ``share`` is the day's target, ``most`` is what it can take."""

    value: int
    used: int
    used_today: int
    share: int
    most: int
    tomorrow: int
    """Tomorrow's target, if today meets its share."""
    brake: int | None
    """The brake line, compared with the use of the day or the period; None: no brake."""
    even: bool
    paced: bool
    renews: bool

    @property
    def by_day(self) -> bool:
        """Whether tomorrow has its own room: a new period, or the next day of a paced one."""
        return self.paced or self.renews

    @property
    def left(self) -> int:
        """What is left of the day's target; below 0 once it has passed its share."""
        return self.share - self.used_today

    def is_braking(self, in_flight: int) -> bool:
        """Whether use and in-flight spend together have reached the brake line."""
        used = self.used_today if self.paced else self.used
        return self.brake is not None and used + in_flight >= self.brake

    @property
    def room(self) -> int:
        """What the day can still take before it reaches the wall or its ceiling."""
        return max(0, self.most - self.used_today)


def delivery_of(said: str | None, cap: Cap) -> DeliveryMode:
    """The delivery of a cap where none was chosen: EVEN if it is paced, or its period is short."""
    if said is not None:
        return DeliveryMode(said)
    evenly = cap.pacing or cap.period in {"Daily", "Weekly"}
    return DeliveryMode.EVEN if evenly else DeliveryMode.ASAP


def share_of(left: int, weights: Sequence[int]) -> int:
    """Today's part of the rest; the last day with any weight takes all of it."""
    whole = sum(weights)
    return max(0, left) * weights[0] // whole if whole else 0


def mark_of(
    cap: Cap,
    value: int,
    used: int,
    used_today: int,
    days: Days,
    delivery: DeliveryMode,
    ceiling_ppm: int = CEILING_PPM,
    event: int = 0,
) -> CapMark:
    """The state of a cap. ``value``: its own in millionths (a clicks cap counts whole clicks).
    ``event``: what one click or apply takes of it.

    The wall is the value, for the whole period. A paced cap has a share for each day and a ceiling
    on it; a share of less than one event lets one in as soon as an even use is due another. An EVEN
    cap that is not paced has shares and no ceiling. Any other takes what is left.
    """
    assert LEAST_CEILING_PPM <= ceiling_ppm <= MOST_CEILING_PPM, "a ceiling is 1.0 to 2.0 shares"
    assert 0 <= used_today <= used, "what was used today is part of what was used"
    before = max(0, value - (used - used_today))
    spread = cap.pacing or (delivery is DeliveryMode.EVEN and cap.period != "Daily")
    share = share_of(before, days.weights) if spread else before
    most = min(before, share_down(share, ceiling_ppm)) if cap.pacing else before
    if days.weights[0] and used - used_today < days.evenly_used(value):
        most = max(most, min(before, event))
    next_left = value if days.renews else before - max(share, used_today)
    return CapMark(
        value=value,
        used=used,
        used_today=used_today,
        share=share,
        most=most,
        tomorrow=share_of(next_left, days.later) if spread or not days.renews else next_left,
        brake=(
            share_down(share if cap.pacing else value, cap.threshold_ppm)
            if cap.threshold_ppm < PPM
            else None
        ),
        even=delivery is DeliveryMode.EVEN,
        paced=cap.pacing,
        renews=days.renews,
    )


def is_stopped(mark: CapMark, in_flight: int, cheapest: int) -> bool:
    """Whether nothing more can be listed: the rest does not pay for one more at the cheapest live
    bid, or the in-flight spend is expected to use it up.
    """
    return mark.room < max(1, cheapest) or in_flight >= mark.room
