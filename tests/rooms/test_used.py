"""What is used of caps, as others ask for it: by period, in the client's own zone."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from handbill.core.charging import Limit, Place, entities_of
from handbill.core.nouns import Cap, Caps, GroupBody
from handbill.kit.instants import DAY, HOUR
from handbill.kit.zones import PERIODS
from handbill.ledger.service import used
from handbill.store.records import Records
from handbill.store.records.tables import groups
from market import Market

MICROS = 1_000_000


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def test_a_day_a_week_a_month_and_a_life_of_each_entity(market: Market) -> None:
    """Each apply comes 14 hours after its click, which is the day before in the client's zone."""
    listing = market.listing("CPA", client_no=market.client(zone="UTC-5:00"))
    beside = market.listing(client_no=market.client("another"), publisher_no=listing.publisher_no)
    caps = Caps(job_budget=Cap("Monthly", 9 * MICROS))
    market.change(groups, listing.group_no, GroupBody("g1", caps=caps))
    for wait in (0, DAY, 7 * DAY, 14 * DAY):
        market.clock.forward(wait)
        market.converted(market.clicked(listing, at=market.clock.now() - 14 * HOUR))
        market.clicked(beside)
        market.judge_all()
    client_no, campaign_no, group_no, publisher_no = (
        listing.client_no,
        listing.campaign_no,
        listing.group_no,
        listing.publisher_no,
    )
    entities = entities_of(Place(client_no, campaign_no, group_no, publisher_no))
    of_job = Limit("group_job", f"{group_no}/{listing.job_id.hex()}", "budget", "Monthly", 0)
    applies_by = {
        date(2026, 11, 10): (1, 2, 3, 4),
        date(2026, 11, 11): (1, 2, 3, 4),
        date(2026, 11, 15): (0, 2, 3, 4),
        date(2026, 11, 18): (1, 1, 3, 4),
        date(2026, 12, 2): (1, 1, 1, 4),
        date(2027, 1, 1): (0, 0, 0, 4),
    }
    with market.records.read() as tx:
        for day, counts in applies_by.items():
            expected = {of_job: counts[2] * MICROS}
            for scope, entity in entities:
                for period, count in zip(PERIODS, counts, strict=True):
                    expected[Limit(scope, entity, "budget", period, 9 * MICROS)] = count * MICROS
                    expected[Limit(scope, entity, "applies", period, 1)] = count
            assert used(tx, client_no, expected, day) == expected, day
        clicked = Limit("client", f"{client_no}", "clicks", "Daily", 5)
        monday = date(2026, 11, 9)
        for day, count in ((monday, 1), (monday + timedelta(2), 0)):
            assert used(tx, client_no, [clicked], day) == {clicked: count}
        unknown = Limit("group", "999", "clicks", "Daily", 1)
        assert used(tx, client_no, [unknown], monday) == {unknown: 0}
        assert used(tx, client_no, [], monday) == {}
