"""What arrived lately, wherever it is by now: in the journal, parked, or judged."""

from pathlib import Path
from typing import Any

import pytest

from handbill.core.received import organic_of
from handbill.kit.instants import DAY, MINUTE
from handbill.ledger.recent import Recent, recent
from handbill.store.journal_streams import Damage, JournalReading, StreamMark
from handbill.store.records import Records
from market import START, Market


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def told(market: Market, client_no: int, most: int = 100, **instead: Any) -> list[Recent]:
    asked: dict[str, Any] = {"journal": market.journal, "now": START + MINUTE} | instead
    with market.records.read() as tx:
        return recent(
            tx, market.blobs, asked["journal"], market.scratch, client_no, asked["now"], most
        )


def test_every_state_is_told_newest_first(market: Market) -> None:
    listing = market.listing("CPA")
    client_no = listing.client_no
    market.converted(market.clicked(listing), 3, "judged")
    unknown, _ = market.click(listing)
    market.converted(unknown, 3, "parked")
    market.judge_all()
    market.journal.add([organic_of(START + MINUTE, client_no, 1, "pixel", "", "")], "edge-0")
    market.journal.add([organic_of(START + MINUTE, 99, 1, "pixel", "", "")], "edge-0")
    found = told(market, client_no)
    assert (found[0].disposition, found[0].kind, found[0].has_click) == ("waiting", "VIEW", False)
    rest = {one.application_id: (one.disposition, one.has_click, one.source) for one in found[1:]}
    assert rest == {"judged": ("counted", True, "s2s"), "parked": ("parked", True, "s2s")}
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    assert told(market, client_no, 1) == found[:1]
    market.judge_all()
    assert "organic" in {one.disposition for one in told(market, client_no)}
    assert told(market, client_no, now=START + 9 * DAY, most=9)[:9] == [
        one for one in told(market, client_no) if one.disposition == "parked"
    ]
    assert told(market, 99)[0].disposition in {"organic", "waiting"}


def test_what_can_be_read_is_told_beside_a_damage(market: Market) -> None:
    client_no = market.listing().client_no
    market.journal.add([organic_of(START, client_no, 1, "pixel", "", "")], "edge-0")
    damage = Damage(
        "edge-1/001aaaaaaaa", StreamMark(1, 0), StreamMark(2, 0), "segment 1 is gone", None
    )

    class Damaged:
        def read(self, *asked: Any) -> JournalReading:
            return market.journal.read(*asked)._replace(damages=(damage,))

    assert [one.kind for one in told(market, client_no, journal=Damaged())] == ["VIEW"]
