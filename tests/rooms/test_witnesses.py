"""One conversion, several witnesses: one apply is one charge, whoever tells of it, and when."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from handbill.core.listing_tokens import SealedClick
from handbill.core.nouns import Cap, Caps, PublisherBody
from handbill.core.received import conversion_of, organic_of
from handbill.kit.instants import DAY, MINUTE
from handbill.ledger.checking import check
from handbill.store.records import Records
from handbill.store.records.tables import publishers
from market import Market

PRICE = 800_000  # what the market's listings are offered for


@pytest.fixture
def market(sqlite_records: Records, tmp_path: Path) -> Market:
    return Market(sqlite_records, tmp_path)


def tell(market: Market, click: SealedClick, who: str, application: str) -> None:
    """A pixel and a server, each in a journal of its own; a pixel may have lost the click."""
    at, client_no = market.clock.now(), click.listing.client_no
    if who == "organic":
        event = organic_of(at, client_no, 3, "pixel", "", application)
    else:
        event = conversion_of(click, at, client_no, 3, who, "", application)
    market.journal.add([event], "api-0" if who == "s2s" else "edge-0")


def applies(market: Market) -> list[dict[str, Any]]:
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []
    return [line for line in market.ledger() if line["kind"] == "APPLY"]


def charged(market: Market) -> int:
    return sum(line["chargeMicros"] for line in applies(market))


@pytest.mark.parametrize("apart", [0, 1, 9 * DAY])
@pytest.mark.parametrize(
    "witnesses", list(permutations([("pixel", ""), ("s2s", " P1 "), ("pixel", "P1\t")]))
)
def test_pixel_and_server_tell_of_one_apply(
    market: Market, witnesses: tuple[tuple[str, str], ...], apart: int
) -> None:
    """In one batch, in two, and with days between."""
    click = market.clicked(market.listing("CPA"))
    for who, application in witnesses:
        market.clock.forward(apart)
        tell(market, click, who, application)
        if apart:
            market.judge_all()
    market.judge_all()
    told = [line["disposition"] for line in applies(market)]
    assert (sorted(told), charged(market)) == (["counted", "duplicate", "duplicate"], PRICE)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (("organic", "s2s"), ["organic", "duplicate"]),
        (("s2s", "organic"), ["counted", "duplicate"]),
    ],
)
def test_the_first_witness_wins_where_the_pixel_lost_the_click(
    market: Market, order: tuple[str, ...], expected: list[str]
) -> None:
    click = market.clicked(market.listing("CPA"))
    for who in order:
        market.clock.forward(DAY)
        tell(market, click, who, "P1")
        market.judge_all()
    assert [line["disposition"] for line in applies(market)] == expected
    assert charged(market) == (PRICE if expected[0] == "counted" else 0)


def test_made_up_applications_are_kept_and_free(market: Market) -> None:
    """They take no room of a cap either."""
    listing = market.listing("CPA", caps=Caps(applies=Cap("Daily", 2)))
    click = market.clicked(listing)
    for n in range(40):
        tell(market, click, "pixel", f"made-up-{n}")
        if n % 7 == 0:
            market.judge_all()
    tell(market, market.clicked(listing), "s2s", "real")
    market.judge_all()
    told = [line["disposition"] for line in applies(market)]
    assert (told.count("further"), told.count("counted")) == (39, 2)
    assert charged(market) == 2 * PRICE


def test_a_publisher_may_be_paid_for_every_apply(market: Market) -> None:
    listing = market.listing("CPA")
    body = PublisherBody(name="Board", bid_type="CPA", pay_every_apply=True)
    market.change(publishers, listing.publisher_no, body)
    click = market.clicked(listing)
    for who, application in (("pixel", ""), ("s2s", "A"), ("s2s", "B"), ("s2s", "B")):
        tell(market, click, who, application)
    market.judge_all()
    told = sorted(line["disposition"] for line in applies(market))
    assert (told, charged(market)) == (["counted", "counted", "duplicate", "duplicate"], 2 * PRICE)


def test_the_id_that_comes_second_names_the_application(market: Market) -> None:
    """The funnel finds it by that id, and the hire goes to the click."""
    click = market.clicked(market.listing())
    for who, application in (("pixel", ""), ("s2s", "P1")):
        tell(market, click, who, application)
        market.clock.forward(MINUTE)
        market.judge_all()
    with market.records.read() as tx:
        (known,) = tx.run_text("SELECT key, click_id FROM applied", {})[0]
    assert (known[0], bytes(known[1])) == ("application/P1", click.random)
