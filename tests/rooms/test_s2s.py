"""Operation 58 from request to journal, and on to the ledger."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from handbill.contract.events.models import EVENTS
from handbill.core.listing_tokens import click_id
from handbill.core.received import decode
from handbill.kit.faults import Fault, Refused
from handbill.kit.instants import MINUTE
from handbill.store.records import Records
from handbill.tracking.service import take
from market import START, Market

KEY = b"s" * 32
KEYS = {1: KEY}


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def read(body: object) -> tuple[list[Any], list[Fault]]:
    faults: list[Fault] = []
    return EVENTS.read(body, "", faults).items, faults


def test_events_go_from_request_to_ledger(market: Market) -> None:
    listing = market.listing("CPA")
    click = market.clicked(listing)
    text = click_id(click, 1, KEY)
    reported, faults = read(
        [
            {"clickId": text, "a": "1"},
            {"clickId": text, "a": 2, "unknown": {}},
            {"clickId": text, "a": "3", "candidateId": 7, "jobApplicationId": "app"},
            {"clickId": text, "a": "3", "jobApplicationId": "app"},
        ]
    )
    assert faults == []
    records: list[bytes] = []
    take(reported, listing.client_no, KEYS, START + MINUTE, records.append)
    assert len(records) == 1, "an array is stored whole"
    market.journal.add(decode(records[0]), "api-0")
    told = sorted((line["kind"], line["disposition"]) for line in market.judged())
    assert told == [
        ("APPLY", "counted"),
        ("APPLY", "duplicate"),
        ("APPLY_START", "counted"),
        ("CLICK", "valid"),
        ("VIEW", "counted"),
    ]


def test_a_click_id_that_is_not_ours_stops_the_whole_array(market: Market) -> None:
    click, _ = market.click(market.listing())
    text = click_id(click, 1, KEY)
    altered = text[:-2] + ("AA" if text[-2:] != "AA" else "BB")
    reported, _ = read([{"clickId": c, "a": "1"} for c in (text, altered, "x", text)])
    records: list[bytes] = []
    with pytest.raises(Refused) as refused:
        take(reported, 1, KEYS, START, records.append)
    assert refused.value.status == 400
    assert [fault.field for fault in refused.value.faults] == ["1.click_id", "2.click_id"]
    assert records == []


def test_nothing_is_answered_when_the_journal_refuses(market: Market) -> None:
    click, _ = market.click(market.listing())
    reported, _ = read({"clickId": click_id(click, 1, KEY), "a": "1"})

    def broken(_record: bytes) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        take(reported, 1, KEYS, START, broken)


@pytest.mark.parametrize("a", ["3", 3, " 3 ", Decimal("3.0")])
def test_an_action_is_a_word_or_a_number(a: object) -> None:
    reported, faults = read({"clickId": "x", "a": a})
    assert (faults, [one.action for one in reported]) == ([], [3])


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ([], [""]),
        ([{"clickId": "x", "a": "1"}] * 1001, [""]),
        ({"a": "1"}, ["/clickId"]),
        ({"clickId": "x"}, ["/a"]),
        ([{"clickId": "x", "a": "4"}, {"clickId": "", "a": 1}], ["/0/a", "/1/clickId"]),
        ({"clickId": "x", "a": True}, ["/a"]),
        ({"clickId": "x", "a": 1.5}, ["/a"]),
        ({"clickId": "x", "a": ["1"]}, ["/a"]),
        ({"clickId": "x", "a": None, "candidateId": None}, ["/a"]),
        ({"clickId": 1, "a": "1"}, ["/clickId"]),
        ({"clickId": "x", "a": "1", "jobApplicationId": ["y"]}, ["/jobApplicationId"]),
        ({"clickId": "x", "a": "1", "candidateId": "y" * 257}, ["/candidateId"]),
        ("x", [""]),
        ([1], ["/0"]),
    ],
)
def test_shapes_that_are_refused(body: object, fields: list[str]) -> None:
    _, faults = read(body)
    assert [fault.field for fault in faults] == fields
