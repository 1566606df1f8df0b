from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.kit import money
from handbill.kit.jsons import decode, encode

MICROS = st.integers(0, 10**18)


@given(MICROS)
def test_micros_survive_the_wire(micros: int) -> None:
    assert money.micros_of(decode(encode(money.number_of(micros)))) == micros


@pytest.mark.parametrize(
    ("number", "micros"),
    [
        (0, 0),
        (Decimal("0.12"), 120_000),
        (Decimal("0.000001"), 1),
        (10**12, 10**18),
        (2, 2_000_000),
    ],
)
def test_micros_of_a_number(number: Decimal | int, micros: int) -> None:
    assert money.micros_of(number) == micros


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (-1, "negative"),
        (Decimal("0.0000001"), "6 decimals"),
        (10**12 + 1, "10\\^12"),
        (Decimal("1000000000000.000001"), "10\\^12"),
        (Decimal("Infinity"), "finite"),
    ],
)
def test_not_money(number: Decimal | int, why: str) -> None:
    with pytest.raises(money.NotMoney, match=why):
        money.micros_of(number)


@given(MICROS, st.integers(0, money.PPM))
def test_a_share_and_the_rest_never_exceed_the_whole(micros: int, ppm: int) -> None:
    assert 0 <= money.share_down(micros, ppm) <= micros


@pytest.mark.parametrize(("n", "d", "out"), [(1, 3, b"0.333333"), (2, 1, b"2"), (5, 0, b"0")])
def test_ratio_is_exact_and_zero_where_nothing_divides(n: int, d: int, out: bytes) -> None:
    assert encode(money.ratio(n, d)) == out
