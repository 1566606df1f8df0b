"""Metrics: sums as they are, ratios last and exact."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from handbill.core.judging import ENTRY_DISPOSITIONS
from handbill.core.metrics import NAMES, RATIOS, RAW, finished, finished_as, made_of, named

NONE = {raw.name: 0 for raw in RAW}


def told(**sums: int) -> dict[str, Decimal | int]:
    return dict(named(list((NONE | sums).values())))


def test_hires_have_their_ratios() -> None:
    found = told(hires=4, applies=16, spent=10_000_000)
    assert (found["hires"], found["cph"], found["ath"]) == (4, Decimal("2.5"), 25)
    assert told(spent=1)["cph"] == told(hires=1)["ath"] == 0


def test_the_worked_example() -> None:
    found = told(clicks=40, applies=3, spent=10_000_000, netSpent=8_000_000, botClicks=5)
    assert (found["spent"], found["netSpent"], found["clicks"], found["botClicks"]) == (
        10,
        8,
        40,
        5,
    )
    assert found["cpc"] == Decimal("0.25")
    assert found["cpa"] == Decimal("3.333333")
    assert found["cta"] == Decimal("7.5")


def test_nothing_divides_to_zero() -> None:
    assert set(told(spent=5).values()) == {0, Decimal("0.000005")}


def test_every_click_is_in_exactly_one_metric() -> None:
    classes = [what for raw in RAW if raw.kind == "CLICK" for what in raw.dispositions]
    assert len(classes) == len(set(classes))
    assert {"valid", "bot", "duplicate", "foreign", "latent", "over_cap"} == set(classes)
    assert set(classes) - {"foreign", "latent"} <= set(ENTRY_DISPOSITIONS)


def test_the_three_spends_of_the_worked_example() -> None:
    """Bid 1.00, markdown 20 %, markup 10 % (domain 4.2)."""
    found = told(spent=1_000_000, netSpent=800_000, markedUpSpent=1_100_000, clicks=1)
    names = ("netSpent", "spent", "markedUpSpent", "profit", "averageMargin")
    assert [found[name] for name in names] == [
        Decimal("0.8"),
        1,
        Decimal("1.1"),
        Decimal("0.3"),
        Decimal("27.272727"),
    ]
    assert told(netSpent=0)["averageMargin"] == 0


def test_sums_of_classes() -> None:
    found = told(
        clicks=7,
        botClicks=1,
        duplicateClicks=2,
        foreignClicks=3,
        latentClicks=4,
        overCapClicks=99,
        applyStarts=14,
    )
    assert (found["invalidClicks"], found["allClicks"], found["allBotClicks"]) == (10, 7, 1)
    assert found["ctas"] == 200


def test_new_columns_stand_after_those_of_old() -> None:
    assert NAMES[:17] == (
        "clicks",
        "botClicks",
        "duplicateClicks",
        "foreignClicks",
        "latentClicks",
        "overCapClicks",
        "views",
        "applyStarts",
        "applies",
        "hires",
        "spent",
        "netSpent",
        "cpc",
        "cpa",
        "cph",
        "cta",
        "ath",
    )
    assert NAMES[17:] == (
        "markedUpSpent",
        "profit",
        "averageMargin",
        "invalidClicks",
        "allClicks",
        "allBotClicks",
        "allViews",
        "allApplyStarts",
        "allApplies",
        "allHires",
        "ctas",
    )


@given(st.lists(st.integers(0, 10**15), min_size=len(RAW), max_size=len(RAW)))
def test_ratios_are_exact_to_six_places(sums: list[int]) -> None:
    made = dict(zip(NAMES, finished(sums), strict=True))
    raw = dict(zip((raw.name for raw in RAW), sums, strict=True))
    raw["profit"] = raw["markedUpSpent"] - raw["netSpent"]
    for ratio in RATIOS:
        over = Decimal(raw[ratio.over]) * ratio.factor
        if ratio.over == "spent":
            over /= 1_000_000
        under = raw[ratio.under]
        exact = over / under if under else Decimal(0)
        assert abs(made[ratio.name] - exact) <= Decimal("0.0000005")
    for name in ("spent", "netSpent", "markedUpSpent", "profit"):
        assert Decimal(made[name]) * 1_000_000 == raw[name]


def test_a_metric_depends_on_the_raw_sums_that_it_is_made_of() -> None:
    """Any of the others makes no difference; each of them makes one somewhere."""
    for name in NAMES:
        needed = made_of(name)
        sums = [n * (10**9 if raw.amount else 1) for n, raw in enumerate(RAW, 3)]
        kept = [value if raw.name in needed else 0 for value, raw in zip(sums, RAW, strict=True)]
        assert finished_as(name)(kept) == finished_as(name)(sums)
        for place, raw in enumerate(RAW):
            more = [value * (2 if n == place else 1) for n, value in enumerate(sums)]
            assert (finished_as(name)(more) != finished_as(name)(sums)) == (raw.name in needed)
