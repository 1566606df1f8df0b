"""What a cap means: shares, ceilings, brake lines, and when nothing more is listed."""

from datetime import UTC, date
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from handbill.core.nouns import Cap
from handbill.core.pacing.caps import (
    CapMark,
    Days,
    DeliveryMode,
    delivery_of,
    is_stopped,
    mark_of,
    share_of,
)
from handbill.core.pacing.curves import (
    FLAT,
    OF_DAY,
    OF_WEEK,
    come_by,
    curve_of,
    day_weights,
    learned,
    shape_of,
    with_day,
)
from handbill.core.pacing.days import days_of
from handbill.kit.money import PPM
from handbill.kit.zones import bounds_of

PACED = Cap("Monthly", 0, pacing=True)
MONEY = st.integers(0, 10**12)
WEIGHTS = st.lists(st.integers(0, 2_000_000), min_size=1, max_size=31)
BUSY = shape_of([1 + (at % OF_DAY) // 8 + at // OF_DAY for at in range(OF_WEEK)])


def mark(
    cap: Cap,
    value: int,
    used: int = 0,
    today: int = 0,
    weights: tuple[int, ...] = (1,),
    delivery: DeliveryMode = DeliveryMode.EVEN,
) -> CapMark:
    days = Days(weights, weights[1:] or (1,), renews=len(weights) == 1)
    return mark_of(cap, value, used, today, days, delivery)


@given(MONEY, WEIGHTS, st.data())
def test_a_month_is_never_passed_and_is_shared_out_whole(
    value: int, weights: list[int], chance: st.DataObject
) -> None:
    """Day by day, whatever is used of each: no share or ceiling goes past what is left; who uses
    each day's share has used the month when it ends.
    """
    used = 0
    even = chance.draw(st.booleans(), "uses each share")
    for day in range(len(weights)):
        rest = weights[day:]
        now = mark_of(
            PACED,
            value,
            used,
            0,
            Days(rest, rest[1:] or weights, len(rest) == 1),
            DeliveryMode.EVEN,
        )
        assert 0 <= now.share <= value - used
        assert now.share <= now.most + 1
        assert now.most <= min(value - used, now.share * 12 // 10)
        used += now.share if even else chance.draw(st.integers(0, now.most), "used")
        assert used <= value
    if even and any(weights):
        last = max(at for at, weight in enumerate(weights) if weight)
        assert last < len(weights)
        assert used == value, "nothing is left over of rounding"


def test_weekdays_weigh() -> None:
    assert share_of(700, [1, 1, 1, 1, 1, 1, 1]) == 100
    assert share_of(700, [2, 1, 1, 1, 1, 1, 0]) == 200
    assert share_of(700, [0, 1, 1]) == 0, "a day on which nothing is traded"
    assert share_of(700, [1, 0, 0]) == 700


def test_the_last_day_and_a_flight_of_one_day_are_paced() -> None:
    whole = mark(PACED, 700)
    assert (whole.share, whole.most, whole.brake) == (700, 700, 560)
    last = mark(PACED, 700, 600, 20)
    assert (last.share, last.most, last.left, last.room) == (120, 120, 100, 100)
    assert last.tomorrow == 700, "the next month begins"


def test_a_day_that_passed_its_share_takes_from_the_others() -> None:
    now = mark(PACED, 400, 110, 110, (1, 1, 1, 1))
    assert (now.share, now.most, now.left, now.room) == (100, 120, -10, 10)
    assert now.tomorrow == (400 - 110) // 3


def test_a_value_of_nothing_is_stopped() -> None:
    for cap in (PACED, Cap("Daily", 0), Cap("Lifetime", 0)):
        assert is_stopped(mark(cap, 0), 0, 0)
        assert is_stopped(mark(cap, 0), 0, 10_000)


def test_it_stops_where_the_rest_pays_nothing_or_is_in_flight() -> None:
    now = mark(Cap("Daily", 100), 100, 90, 90)
    assert not is_stopped(now, 0, 10)
    assert is_stopped(now, 0, 11), "less than the cheapest live bid"
    assert not is_stopped(now, 9, 10)
    assert is_stopped(now, 10, 10), "publishers hold what fills it"
    assert is_stopped(mark(Cap("Daily", 50), 50, 90, 90), 0, 1), "lowered below what was used"
    assert not is_stopped(mark(Cap("Daily", 150), 150, 90, 90), 0, 1), "raised: free at once"


def test_the_brake_line() -> None:
    daily = Cap("Daily", 100, threshold_ppm=800_000)
    assert not mark(daily, 100, 79, 79).is_braking(0)
    assert mark(daily, 100, 80, 80).is_braking(0)
    assert mark(daily, 100, 50, 50).is_braking(30), "what is in flight counts"
    assert mark(Cap("Daily", 100, threshold_ppm=0), 100).is_braking(0), "from the first bid"
    assert not mark(Cap("Daily", 100, threshold_ppm=PPM), 100, 99, 99).is_braking(99), "no brake"
    paced = mark(PACED, 400, 81, 81, (1, 1, 1, 1))
    assert paced.is_braking(0), "of the share, where it is paced"
    assert not mark(Cap("Monthly", 400), 400, 81, 81, (1, 1, 1, 1)).is_braking(0)


@given(st.integers(0, 40), st.integers(1, 31), MONEY.filter(bool), st.data())
def test_few_events_come_evenly_however_small_a_share_is(
    events: int, length: int, event: int, chance: st.DataObject
) -> None:
    """At most one event a day, and a rest of less than one: never more than one ahead of even use,
    never behind one where there is demand, and all of them by the month's end.
    """
    events = min(events, length)
    value = events * event + chance.draw(st.integers(0, event - 1), "rest")
    used = 0
    for day in range(length):
        days = Days((1,) * (length - day), (1,), day == length - 1, past=day)
        now = mark_of(PACED, value, used, 0, days, DeliveryMode.EVEN, event=event)
        assert now.most <= value - used
        used += now.most // event * event
        assert used <= days.evenly_used(value) * 12 // 10 + event
        assert used >= days.evenly_used(value) // event * event - event
    assert used == events * event


def test_a_share_of_less_than_an_event_waits_for_the_next_that_is_due() -> None:
    """Five clicks in thirty days: one at once, and one every six days."""
    used, came = 0, []
    for day in range(30):
        days = Days((1,) * (30 - day), (1,), day == 29, past=day)
        now = mark_of(PACED, 5 * PPM, used, 0, days, DeliveryMode.EVEN, event=PPM)
        if now.most >= PPM:
            came.append(day)
            used += PPM
            later = mark_of(PACED, 5 * PPM, used, PPM, days, DeliveryMode.EVEN, event=PPM)
            assert is_stopped(later, 0, PPM), "one is enough for today"
    assert came == [0, 6, 12, 18, 24]
    idle = Days((0, 1), (1,), renews=False, past=3)
    assert mark_of(PACED, 5 * PPM, 0, 0, idle, DeliveryMode.EVEN, event=PPM).most == 0


def test_the_days_of_a_month_that_are_over_count_by_their_weights() -> None:
    weights = [2, 1, 1, 1, 1, 0, 0]
    days = days_of("Monthly", date(2026, 11, 10), weights)
    assert (days.past, sum(days.weights)) == (8, 18)
    assert days_of("Weekly", date(2026, 11, 10), weights).past == 0


def test_delivery_where_nothing_is_said() -> None:
    said = {
        period: delivery_of(None, Cap(period, 1))
        for period in ("Daily", "Weekly", "Monthly", "Lifetime")
    }
    assert said == {"Daily": "EVEN", "Weekly": "EVEN", "Monthly": "ASAP", "Lifetime": "ASAP"}
    assert delivery_of(None, PACED) == "EVEN"
    assert delivery_of(DeliveryMode.ASAP, PACED) == "ASAP"


def test_days_of_23_and_25_hours_carry_the_whole_share() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    usual = curve_of(BUSY, date(2027, 3, 21), berlin)
    for day, hours in ((date(2027, 3, 28), 23), (date(2027, 10, 31), 25)):
        curve = curve_of(BUSY, day, berlin)
        assert len(curve.sums) == hours * 4 + 1
        assert (curve.start_at, curve.end_at) == bounds_of(day, day, berlin)
        assert abs(curve.whole - usual.whole) < 1e-9
        assert come_by(curve, curve.start_at) == 0
        assert come_by(curve, curve.end_at + 1) == curve.whole
        assert list(curve.sums) == sorted(curve.sums)


def test_a_shape_is_learned_and_does_not_mistake_growth_for_a_week() -> None:
    """Clicks double from a day to the next: by what an average day gives, each weekday weighs the
    same all the same.
    """
    seen: list[float] = [1 / OF_DAY] * OF_WEEK
    for day in range(1, 15):
        usual = 50.0 * 2**day
        seen = with_day(seen, date(2027, 2, day), [usual / OF_DAY] * OF_DAY, usual)
    weights = day_weights(learned(seen, BUSY, 0))
    assert max(weights) - min(weights) < 10_000
    assert learned([0.0] * OF_WEEK, BUSY, 5) == BUSY, "nothing was seen"
    strong = day_weights(learned(seen, BUSY, 10_000))
    for got, prior in zip(strong, day_weights(BUSY), strict=True):
        assert abs(got - prior) < 10_000, "few clicks: the prior"


def test_a_quarter_hour_between() -> None:
    curve = curve_of(FLAT, date(2027, 2, 1), UTC)
    half = (curve.start_at + curve.end_at) // 2
    assert abs(come_by(curve, half + 1) - 0.5) < 1e-6
