"""The ceiling of a day is a wall that the judge holds; a full cap wakes control."""

from pathlib import Path
from typing import Any

import pytest

from handbill.core.in_force import Ceiling, Standing
from handbill.core.nouns import Cap, Caps, GroupBody, Placement
from handbill.kit.instants import DAY, MINUTE
from handbill.ledger.checking import check
from handbill.ledger.traffic import traffic_of
from handbill.standing import rows as standing
from handbill.store.records import Records
from handbill.store.records.tables import groups
from market import START, Market, dispositions

MICROS = 1_000_000
TODAY, TOMORROW = "2026-11-10", "2026-11-11"


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def wakes(market: Market) -> int:
    with market.records.read() as tx:
        text = "SELECT count(*) FROM tasks WHERE kind = 'control.look' AND key = 'c1'"
        return int(tx.run_text(text, {})[0][0][0])


def test_a_day_takes_no_more_than_its_ceiling_and_the_next_has_its_own(market: Market) -> None:
    listing = market.listing()
    caps = Caps(budget=Cap("Monthly", 10 * MICROS, pacing=True))
    body = GroupBody("g1", placements=[Placement("Board")], caps=caps)
    market.change(groups, listing.group_no, body, at=1)
    entity = f"{listing.group_no}"
    ceilings = [
        Ceiling("group", entity, "budget", TODAY, 2 * MICROS, 1),
        Ceiling("group", entity, "budget", TOMORROW, 1 * MICROS, 1),
    ]
    with market.records.write() as tx:
        standing.put_ceilings(tx, listing.client_no, ceilings)
    market.clicked(listing, at=START)
    assert dispositions(market.judged()) == ["valid"]
    assert wakes(market) == 0, "there is room for another"
    for number in range(2):
        market.clicked(listing, at=START + number + 1)
    market.clock.forward(MINUTE)
    assert dispositions(market.judged()) == ["valid", "valid", "over_cap"]
    assert wakes(market) == 1
    for number in range(2):
        market.clicked(listing, at=START + DAY + number)
    market.clicked(listing, at=START + 2 * DAY)  # a day without a ceiling has the wall alone
    market.clock.forward(3 * DAY)
    said = [(line["disposition"], line["reason"]) for line in market.judged()][3:]
    assert said == [("valid", None), ("over_cap", "group_budget_ceiling"), ("valid", None)]
    with market.records.read() as tx:
        came = traffic_of(tx, listing.client_no)
    sums = [sum(getattr(one, name) for one in came.values()) for name in ("clicks", "unbilled")]
    assert sums == [6, 2]
    assert sum(one.spend_micros for one in came.values()) == 4 * MICROS
    assert sum(one.unbilled_micros for one in came.values()) == 2 * MICROS
    assert check(market.records, market.blobs, market.scratch).faults == []
    with market.records.write() as tx:
        standing.put_ceilings(tx, listing.client_no, [ceilings[0]._replace(most=MICROS)])
    (fault,) = check(market.records, market.blobs, market.scratch).faults
    assert "its ceiling of 1000000 budget on 2026-11-10" in fault


def test_what_is_known_to_be_full_wakes_nobody(market: Market) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Monthly", MICROS)))
    client_no = listing.client_no
    with market.records.write() as tx:
        standing.put_standings(
            tx,
            client_no,
            [Standing("client", f"{client_no}", "CAPPED", "STOPPED", 1, "{}", 1, None)],
        )
    for number in range(3):
        market.clicked(listing, at=START + number)
    market.clock.forward(MINUTE)
    assert dispositions(market.judged()) == ["valid", "over_cap", "over_cap"]
    assert wakes(market) == 0


@pytest.mark.parametrize("is_locked", [False, True])
def test_a_stopped_placement_lets_what_is_full_at_another_wake(
    market: Market, is_locked: bool
) -> None:
    """A cap of a campaign at a publisher, and a budget of which others keep a part."""
    client_no, promised = market.client(), Cap("Monthly", MICROS, locked=True)
    placements = [Placement("Other", budget=promised), Placement("Board")]
    campaign_no = market.campaign(
        client_no, placement_caps={} if is_locked else {"Board": Cap("Monthly", MICROS)}
    )
    caps = Caps(budget=Cap("Monthly", 2 * MICROS if is_locked else 9 * MICROS))
    group_no = market.group(client_no, campaign_no, placements=placements, caps=caps)
    other_no = market.publisher("Other")
    known: dict[str, Any] = {
        "client_no": client_no,
        "campaign_no": campaign_no,
        "group_no": group_no,
    }
    listing = market.listing(**known)
    for publisher_no, count in ((other_no, 1), (listing.publisher_no, 0)):
        with market.records.write() as tx:
            standing.put_standings(
                tx,
                client_no,
                [
                    Standing(
                        "placement",
                        f"{group_no}/{publisher_no}",
                        "CAPPED",
                        "STOPPED",
                        1,
                        "{}",
                        1,
                        None,
                    )
                ],
            )
            tx.run_text("DELETE FROM tasks", {})
        market.clicked(listing, at=market.clock.now())
        market.clicked(listing, at=market.clock.now() + 1)
        market.clock.forward(MINUTE)
        assert dispositions(market.judged())[-1] == "over_cap"
        assert wakes(market) == count
