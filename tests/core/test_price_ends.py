"""When the price of a link ends, and what a click counts at then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.price_ends import STANDS, Frozen, LinkState, ShownLine, counted, standing_of
from handbill.kit.instants import DAY, HOUR

OLD = Frozen(7, "CPC", 5_000_000, 4_000_000)
CHEAP = Frozen(7, "CPC", 1_000_000, 900_000)
LISTED, CHANGED, BACK = 10 * DAY, 20 * DAY, 30 * DAY
LINK, NEW_LINK = ShownLine(OLD, LISTED), ShownLine(OLD, BACK)


def stands(
    link: ShownLine,
    *ends: int,
    shown: ShownLine | None = None,
    remembered: int = 0,
    known: bool = True,
) -> LinkState:
    return standing_of(link, ends, shown, remembered=remembered, is_known=known)


def test_a_link_ends_with_the_first_change_after_it() -> None:
    assert stands(LINK, shown=LINK) == LinkState(None, OLD)
    assert stands(LINK, CHANGED + DAY, CHANGED, shown=ShownLine(CHEAP, CHANGED)) == LinkState(
        CHANGED, CHEAP
    )
    assert stands(LINK, LISTED, shown=ShownLine(CHEAP, CHANGED)).ended_at is None, "it began then"
    assert stands(LINK, CHANGED) == LinkState(CHANGED, None)


def test_a_price_that_comes_back_has_links_of_its_own() -> None:
    assert stands(LINK, CHANGED, shown=NEW_LINK) == LinkState(CHANGED, OLD)
    assert stands(NEW_LINK, CHANGED, shown=NEW_LINK) == LinkState(None, OLD)


@pytest.mark.parametrize("other", [OLD._replace(group_no=8), OLD._replace(bid_type="CPA")])
def test_another_group_or_kind_of_bid_is_another_listing(other: Frozen) -> None:
    assert stands(LINK, CHANGED, shown=ShownLine(other, CHANGED)) == LinkState(CHANGED, None)


def test_what_is_forgotten_makes_nothing_payable() -> None:
    assert stands(LINK, remembered=LISTED + 1).forgotten
    assert not stands(LINK, remembered=LISTED).forgotten
    assert not stands(LINK, shown=LINK, remembered=LISTED + 1).forgotten, "it is in the file"
    assert stands(LINK, shown=NEW_LINK, remembered=LISTED + 1).forgotten


def test_a_file_that_cannot_be_looked_into_speaks_for_the_click() -> None:
    assert stands(LINK, CHANGED, known=False) == STANDS
    assert stands(LINK, CHANGED, remembered=LISTED + 1, known=False).forgotten


def test_a_link_without_a_time_goes_by_the_file() -> None:
    timeless = ShownLine(OLD, 0)
    assert stands(timeless, CHANGED, shown=LINK) == LinkState(None, OLD)
    assert stands(timeless, CHANGED, BACK, shown=ShownLine(CHEAP, BACK)) == LinkState(BACK, CHEAP)
    assert stands(timeless) == LinkState(0, None)
    assert stands(timeless, known=False, remembered=BACK) == STANDS


def test_after_the_grace_the_lower_one_counts() -> None:
    ended = LinkState(CHANGED, CHEAP)
    assert counted(OLD, ended, CHANGED + 48 * HOUR, 48 * HOUR) == OLD
    assert counted(OLD, ended, CHANGED + 48 * HOUR + 1, 48 * HOUR) == CHEAP
    assert counted(CHEAP, LinkState(CHANGED, OLD), BACK, HOUR) == CHEAP
    assert counted(OLD, STANDS, BACK, 0) == OLD


AMOUNTS = st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)).map(sorted)


@given(AMOUNTS, AMOUNTS, st.integers(0, 4 * DAY))
def test_nobody_pays_more_than_was_said(one: list[int], other: list[int], after: int) -> None:
    link, live = (OLD._replace(bid_micros=high, price_micros=low) for low, high in (one, other))
    found = counted(link, LinkState(CHANGED, live), CHANGED + after, DAY)
    assert found.price_micros <= found.bid_micros <= link.bid_micros
    assert found.price_micros <= link.price_micros
    if after > DAY:
        assert found.bid_micros <= live.bid_micros
        assert found.price_micros <= live.price_micros
