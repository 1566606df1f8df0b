"""The effect of a cap, as a reason: stopped, braking, or pacing; and a sufficient value."""

from collections.abc import Iterator, Mapping
from datetime import date, tzinfo
from typing import Final, NamedTuple

from handbill.core.charging import MEASURES, Measure, Scope
from handbill.core.nouns import Cap
from handbill.core.pacing.caps import CapMark, is_stopped
from handbill.core.standing.reasons import Code, Fix, Level, Params, Reason
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.kit.zones import next_period, start_of

CapKey = tuple[Scope, str, Measure]
"""Whose cap it is, and what it counts: scope, entity and measure of its counter."""
_RAISED_PPM: Final = 1_250_000
_OF_JOB: Final[Mapping[Measure, str]] = {
    "budget": "jobBudget",
    "clicks": "jobClicks",
    "applies": "jobApplies",
}
OF_EACH_JOB: Final = frozenset(_OF_JOB.values())
"""The names of a job group's caps for each of its jobs."""


class Capped(NamedTuple):
    """The state of a cap. ``mark`` and ``in_flight`` are in millionths of what it counts; so is
    ``cheapest``, what one more takes at the cheapest live bid (for a count, one), and ``likely``,
    what it will take where nothing is sold now.
    """

    cap: Cap
    mark: CapMark
    in_flight: int = 0
    cheapest: int = 0
    likely: int = 0


class CappedEntity(NamedTuple):
    """The entity that has a cap, as it is reported. ``what``: in words."""

    level: Level
    id: str
    name: str
    what: str
    publisher_id: str = ""
    group_id: str = ""


class Moment(NamedTuple):
    """The current time, in the client's zone."""

    today: date
    zone: tzinfo


def cap_reasons(
    scope: Scope, entity: str, owner: CappedEntity, caps: Mapping[CapKey, Capped], when: Moment
) -> Iterator[Reason]:
    """The effect of each cap of one owner; a blocking one with its fix."""
    for measure in MEASURES:
        capped = caps.get((scope, entity, measure))
        if capped is None:
            continue
        code = code_of(capped)
        if code is None:
            continue
        yield Reason(
            code=code,
            level=owner.level,
            entity_id=owner.id,
            name=owner.name,
            words=_words(code, owner.what, capped, measure),
            blocking=code is not Code.CAP_BRAKING,
            until_at=_until(capped, when),
            params=params_of(scope, measure, capped, owner),
            fix=Fix(kind="raise", value=enough(capped, is_count=measure != "budget")),
        )


def pacing_reason(
    scope: Scope, measure: Measure, owner: CappedEntity, capped: Capped, let_ppm: int
) -> Reason:
    """That bids are lowered, or jobs left out, so that a cap lasts."""
    return Reason(
        code=Code.PACED,
        level=owner.level,
        entity_id=owner.id,
        name=owner.name,
        words=_words(Code.PACED, owner.what, capped, measure),
        blocking=False,
        params=params_of(scope, measure, capped, owner, let_ppm),
    )


def locked_reason(
    capped: Capped, owner: CappedEntity, kept: int, cheapest: int, when: Moment
) -> Reason | None:
    """That the rest of a job group's budget is reserved for other placements."""
    if capped.mark.room - kept >= max(1, cheapest):
        return None
    more = capped._replace(in_flight=capped.in_flight + kept, cheapest=cheapest)
    return Reason(
        code=Code.CAP_LOCKED,
        level=owner.level,
        entity_id=owner.id,
        name=owner.name,
        words=f"the rest of the {owner.what}'s budget is reserved for other publishers",
        until_at=_until(more, when),
        params=params_of("group", "budget", capped, owner),
        fix=Fix(kind="raise", value=enough(more, is_count=False)),
    )


def code_of(capped: Capped) -> Code | None:
    """The effect of a cap on listings now; None: it has none."""
    cap, mark, in_flight, cheapest, _ = capped
    if not cap.value:
        return Code.CAP_ZERO
    if is_stopped(mark, in_flight, cheapest):
        spent = mark.room < max(1, cheapest)
        return Code.CAP_REACHED if spent else Code.CAP_IN_FLIGHT
    return Code.CAP_BRAKING if mark.is_braking(in_flight) else None


def params_of(
    scope: Scope, measure: Measure, capped: Capped, owner: CappedEntity, let_ppm: int | None = None
) -> Params:
    """A cap in figures. ``share``: the day's target, if it is less than the whole."""
    mark = capped.mark
    unit = 1 if measure == "budget" else PPM
    shared = mark.paced or mark.even
    return Params(
        cap=_OF_JOB[measure] if scope == "group_job" else measure,
        period=capped.cap.period,
        value=capped.cap.value,
        used=mark.used // unit,
        in_flight=capped.in_flight // unit,
        share=mark.share // unit if shared else None,
        let_ppm=let_ppm,
        publisher_id=owner.publisher_id,
        group_id=owner.group_id,
    )


def enough(capped: Capped, *, is_count: bool) -> int:
    """A value at which the cap would neither stop nor brake: a quarter more than is needed for what
    is used, in flight and one more, in round figures.
    """
    cap, mark, in_flight, cheapest, likely = capped
    line_ppm = cap.threshold_ppm or PPM
    used = mark.used_today if mark.paced else mark.used
    wanted = (used + in_flight + max(1, cheapest or likely)) * _RAISED_PPM // line_ppm + 2
    if mark.paced and mark.share:
        before = max(0, mark.value - (mark.used - mark.used_today))
        wanted = mark.value - (-max(0, wanted - mark.share) * before // mark.share)
    wanted = max(wanted, mark.value * _RAISED_PPM // PPM)
    whole = -(-wanted // PPM) if is_count else wanted
    return _rounded_up(whole)


def _rounded_up(value: int) -> int:
    """Rounded to two digits, so that a proposed value looks like one that a person has chosen."""
    step = int("1".ljust(len(f"{value}") - 1, "0"))
    return -(-value // step) * step


def _until(capped: Capped, when: Moment) -> Instant | None:
    """When it ends by itself: with the day, if only the day's ceiling is reached; otherwise with
    the period. Never, where the whole value pays for nothing.
    """
    period = "Daily" if _is_of_today(capped) else capped.cap.period
    day = None if _is_too_small(capped) else next_period(period, when.today)
    return None if day is None else start_of(day, when.zone)


def _is_of_today(capped: Capped) -> bool:
    """Whether only the day's ceiling of a paced cap is reached: the period has more."""
    mark = capped.mark
    left = mark.value - mark.used - capped.in_flight
    return mark.paced and left > max(1, capped.cheapest)


def _is_too_small(capped: Capped) -> bool:
    """Whether the whole value does not pay for one click or apply at the cheapest live bid."""
    return capped.mark.value < max(1, capped.cheapest)


def _words(code: Code, what: str, capped: Capped, measure: Measure) -> str:
    named = "budget" if measure == "budget" else f"cap of {measure}"
    cap = f"{capped.cap.period.lower()} {named}"
    part = "today's part of " if _is_of_today(capped) else ""
    if code is Code.CAP_REACHED and _is_too_small(capped):
        return f"the {cap} of the {what} is less than one click or apply costs"
    return {
        Code.CAP_ZERO: f"the {what} has a {cap} of 0",
        Code.CAP_REACHED: f"the {what} has reached {part}its {cap}",
        Code.CAP_IN_FLIGHT: f"publishers' feeds are expected to fill {part}the {cap} of the {what}",
        Code.CAP_BRAKING: f"the {what} is near {part}its {cap}, so that fewer jobs are listed",
        Code.PACED: f"bids are lowered, so that the {cap} of the {what} lasts",
    }[code]
