"""What ``ledger export`` tells of an entry, filled in by all that an entry can be."""

import csv
import io
from pathlib import Path

import pytest

from handbill.ledger.service import NAMES
from handbill.stats.files import lines_into
from handbill.store.records import Records
from market import START, Market


@pytest.fixture
def market(sqlite_records: Records, tmp_path: Path) -> Market:
    return Market(sqlite_records, tmp_path)


def test_every_kind_of_entry_says_what_it_is_made_of(market: Market) -> None:
    listing = market.listing(bid_type="CPA")
    market.job(listing.client_no, listing.job_id, ref="REF-1")
    market.markup(100_000, client_no=listing.client_no)
    click = market.clicked(listing)
    market.converted(click, application="app-1")
    slots = market.publisher("Slots", "PPP")
    market.purchase(5_000_000, [listing.client_no], slots)
    told = {line["kind"]: line for line in market.judged()}
    assert set(told) == {"CLICK", "APPLY", "POSTING"}
    own = told["CLICK"]
    assert own["clickId"] == own["id"] == told["APPLY"]["clickId"]
    for kind in ("CLICK", "APPLY"):
        line = told[kind]
        assert (line["refNumber"], line["bidType"]) == ("REF-1", "CPA"), kind
        assert (line["overrideMarkupPpm"], line["postingId"]) == (0, None)
    assert told["APPLY"]["applicationId"] == "app-1"
    assert (own["agencyMarkupPpm"], told["APPLY"]["agencyMarkupPpm"]) == (0, 100_000)
    assert (told["APPLY"]["spendMicros"], told["APPLY"]["markedUpMicros"]) == (1_000_000, 1_100_000)
    posting = told["POSTING"]
    assert posting["postingId"] == f"posting-{START}"
    assert posting["publisherId"] == "Slots"
    assert (posting["refNumber"], posting["clickId"]) == (None, None)
    # As a spreadsheet reads it.
    file = io.BytesIO()
    with lines_into(file, NAMES, "CSV") as put:
        for line in told.values():
            put(tuple(line.values()))
    rows = {row["kind"]: row for row in csv.DictReader(io.StringIO(file.getvalue().decode()))}
    for kind, line in told.items():
        assert rows[kind] == {
            name: "" if value is None else str(value) for name, value in line.items()
        }
