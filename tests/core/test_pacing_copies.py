"""What publishers hold, what is in flight from it, and targets for applies."""

from datetime import UTC, date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from handbill.core.pacing.copies import (
    DELIVERED,
    UNKNOWN_RHYTHM,
    Fetch,
    ShownCopy,
    held_of,
    newer_since,
    next_fetch,
    own_fetches,
    rhythm_of,
    taken_of,
    unfetched,
)
from handbill.core.pacing.curves import FLAT, curve_of
from handbill.core.pacing.demand import guessed, next_day, seen
from handbill.core.pacing.streams import ClickStream, ahead_of, life_of
from handbill.core.pacing.targets import (
    Got,
    TargetRate,
    cautious,
    corrected,
    delay_curve,
    mature_ppm,
    rates_of,
    target_bid,
)
from handbill.kit.instants import HOUR, MINUTE
from handbill.kit.money import PPM

DAY = date(2027, 2, 1)
TODAY, TOMORROW = curve_of(FLAT, DAY, UTC), curve_of(FLAT, DAY + timedelta(days=1), UTC)
MIDNIGHT = TODAY.start_at


def test_a_rhythm_is_read_from_fetches() -> None:
    at = [number * 4 * HOUR for number in range(8)]
    assert rhythm_of(at) == 4 * HOUR
    again = sorted([*at, *(one + MINUTE for one in at)])
    assert rhythm_of(again) == 4 * HOUR, "one that is tried again is one"
    assert rhythm_of([*at[:5], *at[6:]]) == 4 * HOUR, "one that was missed changes nothing"
    assert rhythm_of(at[:1]) == rhythm_of([]) == UNKNOWN_RHYTHM


def held(fetches: list[Fetch], now: int) -> ShownCopy | None:
    taken = taken_of(fetches)
    return taken and held_of(taken, now)


def test_what_a_publisher_holds() -> None:
    fetches = [Fetch(0, 1), Fetch(4 * HOUR, 2), Fetch(8 * HOUR, 2, fresh=False)]
    found = held(fetches, 9 * HOUR)
    assert found is not None
    assert (found.version, found.next_at, found.lost) == (2, 12 * HOUR, False)
    late = held(fetches, 13 * HOUR)
    assert late is not None
    assert 13 * HOUR < late.next_at <= 14 * HOUR
    lost = held(fetches, 21 * HOUR)
    assert lost is not None
    assert lost.lost
    assert held([], HOUR) is None, "it never fetched"


def test_others_read_the_file_too() -> None:
    own = [Fetch(n * 4 * HOUR, n, reader="board") for n in range(6)]
    others = [Fetch(at * MINUTE, 9, reader="curl") for at in range(1_190, 1_230)]
    everything = sorted([*own, *others])
    assert own_fetches(everything) == own, "however often it is tried within minutes"
    assert held(everything, 21 * HOUR) == held(own, 21 * HOUR)
    changed = [*own, *(Fetch((24 + n * 4) * HOUR, 9, reader="newer") for n in range(6))]
    found = held(changed, 45 * HOUR)
    assert found is not None
    assert found.reader == "newer", "a publisher's new program is soon believed"


def test_what_is_brought_is_not_lost() -> None:
    brought = [Fetch(0, 1, reader=DELIVERED), Fetch(HOUR, 2, reader=DELIVERED)]
    found = held(brought, 100 * HOUR)
    assert found is not None
    assert (found.version, found.lost) == (2, False)


def test_who_never_fetched_is_lost_after_three_days() -> None:
    early, late = unfetched(HOUR, 73 * HOUR), unfetched(HOUR, 74 * HOUR)
    assert (early.version, early.fetched_at, early.lost, late.lost) == (0, 0, False, True)
    assert late.next_at > 74 * HOUR


@given(st.integers(0, 10**13), st.integers(1, 10**12), st.integers(0, 10**13))
def test_the_next_fetch_is_ahead(last: int, rhythm: int, past: int) -> None:
    assert next_fetch(last, rhythm, last + past) > last + past


def stream(let_ppm: int, next_hour: int) -> ClickStream:
    return ClickStream(1_000_000, 24.0, 24.0, TODAY, TOMORROW, let_ppm, MIDNIGHT + next_hour * HOUR)


def test_what_is_in_flight_and_what_is_open() -> None:
    """24 clicks a day at 1.00: one an hour. At noon one is steered; the other holds half the spend
    until 18:00, a third all of it until 4:00.
    """
    streams = [stream(PPM, 13), stream(500_000, 18), stream(PPM, 28)]
    ahead = ahead_of(streams, MIDNIGHT + 12 * HOUR, 0)
    assert ahead == (15_000_000, 18_000_000, 4_000_000, 68_000_000)
    life = life_of(streams[0], MIDNIGHT + 12 * HOUR, MIDNIGHT + 36 * HOUR)
    assert life == (12_000_000, 12_000_000)


def test_demand_is_learned_from_what_was_let_through() -> None:
    demand = guessed(100.0)
    for _ in range(20):
        demand = next_day(seen(demand, 25.0, 0.5))
    assert abs(demand.usual - 50) < 2
    strong = seen(demand, 60.0, 0.6)
    assert demand.usual < strong.today < 100, "today goes better than usual"
    assert strong.usual == demand.usual
    closed = next_day(seen(demand, 0.0, 0.0))
    assert closed == demand, "a day on which nothing was let through says nothing"


def test_a_goal_moves_by_steps() -> None:
    assert target_bid(TargetRate(20_000_000, 50_000, PPM, 0), 10**9) == (1_000_000, False)
    assert target_bid(TargetRate(20_000_000, 50_000, PPM, 980_000), 10**9) == (980_000, False)
    assert target_bid(TargetRate(20_000_000, 50_000, PPM, 500_000), 10**9) == (600_000, True)
    assert target_bid(TargetRate(20_000_000, 50_000, PPM, 0), 700_000) == (700_000, False)


def test_the_correction_is_slow_and_bounded() -> None:
    dear, cheap = (20_000_000 * 110, 100 * PPM), (20_000_000 * 90, 100 * PPM)
    assert corrected(PPM, *dear, 20_000_000) == 985_000
    assert corrected(PPM, *cheap, 20_000_000) == 1_015_000
    assert corrected(PPM, 20_000_000 * 11, 10 * PPM, 20_000_000) == PPM, "may be chance"
    assert corrected(PPM, 10**12, 4 * PPM, 1) == PPM, "too few applies to say"
    down = up = PPM
    for _ in range(100):
        down, up = corrected(down, *dear, 20_000_000), corrected(up, *cheap, 20_000_000)
    assert (down, up) == (700_000, 1_035_000)
    much, little = (20_000_000 * 800, 900 * PPM), (20_000_000 * 10, 20 * PPM)
    assert corrected(PPM * 2, *much, 20_000_000) == 1_063_000, "nine tenths of the most"
    assert corrected(PPM, *little, 20_000_000) == 1_011_666, "a sixth"


def test_a_rate_is_bid_on_with_caution() -> None:
    assert cautious(120_000, 0) == 106_800, "11 % at most"
    assert cautious(120_000, 89) == 120_000 * 95 // 100, "15 % of error, of which 10 % may be"
    assert cautious(120_000, 214) == 120_000, "by then it is known well enough"


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 4), st.integers(0, 3)),
        st.builds(Got, st.integers(0, 10**4).map(lambda n: n * PPM), st.integers(0, 300)),
        max_size=12,
    ),
    st.integers(1, PPM),
)
def test_rates_are_rates(got: dict[tuple[int, int], Got], prior: int) -> None:
    rates = rates_of(got, prior)
    assert rates.keys() == got.keys()
    assert all(rate >= 0 for rate in rates.values())


def test_rates_borrow_from_both_sides() -> None:
    """A good publisher and a good group: the pair that nothing is known of is good as well."""
    clicks = 100_000 * PPM
    got = {
        (1, 1): Got(clicks, 10_000),
        (1, 2): Got(clicks, 5_000),
        (2, 2): Got(clicks, 2_500),
        (2, 1): Got(0, 0),
    }
    rates = rates_of(got, 50_000)
    assert abs(rates[1, 1] - 100_000) < 1_000, "its own applies decide"
    assert 35_000 < rates[2, 1] < 80_000
    assert rates_of({(1, 1): Got(0, 0)}, 50_000) == {(1, 1): 50_000}, "no apply yet: the prior"


def test_clicks_ripen_by_the_delay_curve() -> None:
    prior = (500_000, 800_000, PPM)
    assert delay_curve([], prior) == prior
    own = delay_curve([9_000, 1_000, 0], prior)
    assert 895_000 < own[0] < 900_000
    assert own[-1] == PPM
    assert list(own) == sorted(own)
    assert mature_ppm(enumerate([10, 10, 10, 10]), prior) == 33 * PPM


def test_since_when_a_copy_is_newer_than_a_price() -> None:
    fetches = [Fetch(n * HOUR, n * HOUR - 1) for n in (10, 14, 18, 22)]
    assert newer_since(fetches, 15 * HOUR) == 18 * HOUR
    assert newer_since(fetches, 22 * HOUR) is None, "it may be older still"
    assert newer_since(fetches, 3 * HOUR) == 7 * HOUR, "at most a rhythm later"
    assert newer_since(fetches, 9 * HOUR) == 10 * HOUR
    assert newer_since([], 0) is None
