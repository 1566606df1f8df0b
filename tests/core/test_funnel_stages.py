"""Stages, and stamps in every form."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.contract.funnel.models import FUNNEL
from handbill.core.funnel_stages import (
    STAGES,
    SentStage,
    dated,
    disposition_of,
    event_of,
    stage_of,
)
from handbill.kit.faults import Fault
from handbill.kit.instants import DAY, MINUTE, instant_of, instant_of_iso, iso_of
from handbill.kit.zones import zone_of
from handbill.wire.stamps import read_stamp

NEPAL = zone_of("UTC+05:45")


def at(text: str) -> int:
    return instant_of_iso(text)


def test_a_text_names_a_stage() -> None:
    own = {"phone screen": "CONTACTED", "new": "REVIEWED"}
    assert stage_of("Phone  Screen ", own) == "CONTACTED"
    assert stage_of("NEW", own) == "REVIEWED", "the client's own map goes first"
    assert stage_of("hired", own) == "HIRED"
    assert stage_of("Hired!", own) == ""
    assert {stage_of(stage.lower(), {}) for stage in STAGES} == set(STAGES)


def test_the_future_is_clamped_a_little() -> None:
    assert dated(5, 10) == 5
    assert dated(10 + 10 * MINUTE, 10) == 10
    assert dated(11 + 10 * MINUTE, 10) is None


def test_the_order_of_dispositions() -> None:
    def of(**more: Any) -> str:
        known = {"repeated": False, "known": True, "frozen": False, "judged_at": DAY - 1} | more
        text = known.pop("text", "hired")
        return disposition_of(event_of(text, stage_of(text, {}), 0, 0), **known)[0]

    assert of() == "counted"
    assert of(text="x") == "unmapped"
    assert of(text="x", known=False) == "parked"
    assert of(known=False, judged_at=DAY) == "dead"
    assert of(known=False, frozen=True) == "late_frozen"
    assert of(repeated=True, frozen=True) == "duplicate"


def test_a_text_is_no_stage_of_its_name() -> None:
    assert event_of("Hired", "", 0, 0).name != event_of("hired", "HIRED", 0, 0).name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2021-05-03T08:58:42.123Z", "2021-05-03T08:58:42.123Z"),
        ("2021-05-03T08:58:42+02:00", "2021-05-03T06:58:42.000Z"),
        ("2021-05-03T08:58:42", "2021-05-03T03:13:42.000Z"),
        ("2021-05-03T24:00", "2021-05-03T18:15:00.000Z"),
        ("2021-05-03T08:58:42Z[UTC]", "2021-05-03T08:58:42.000Z"),
        ("2021-05-03t08:58:42z", "2021-05-03T08:58:42.000Z"),
        ("2021-05-03T23:59:60Z", "2021-05-04T00:00:00.000Z"),
        ("2021-05-03T08:58", "2021-05-03T03:13:00.000Z"),
        ("2021-05-03 08:58:42", "2021-05-03T03:13:42.000Z"),
        ("2021-05-03 08:58", "2021-05-03T03:13:00.000Z"),
        ("2021-05-03", "2021-05-02T18:15:00.000Z"),
        ("05/03/2021", "2021-05-02T18:15:00.000Z"),
        ("05/03/2021 08:58", "2021-05-03T03:13:00.000Z"),
        ("05/03/2021 08:58:42", "2021-05-03T03:13:42.000Z"),
        ("23/03/2021 08:58", "2021-03-23T03:13:00.000Z"),
        (1_620_032_322, "2021-05-03T08:58:42.000Z"),
        (1_620_032_322_123, "2021-05-03T08:58:42.123Z"),
        ("1620032322", "2021-05-03T08:58:42.000Z"),
        ("1620032322123", "2021-05-03T08:58:42.123Z"),
    ],
)
def test_stamps(value: object, expected: str) -> None:
    found = read_stamp(value)
    assert found is not None
    zoned = found if found.tzinfo is not None else found.replace(tzinfo=NEPAL)
    assert iso_of(instant_of(zoned)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2021-02-30",
        "13/13/2021",
        "05/03/2021 25:00",
        "0001-01-01",
        "9999-12-31",
        -1,
        0,
        10**18,
        2**63,
        "9" * 14,
        True,
        None,
        1.5,
        [],
        {},
        "2021-05-03T08:58:42Z" + "0" * 30,
    ],
)
def test_what_is_no_stamp(value: object) -> None:
    assert read_stamp(value) is None


@given(st.one_of(st.text(max_size=50), st.integers(-(2**63), 2**64), st.floats()))
def test_no_value_breaks_it(value: object) -> None:
    found = read_stamp(value)
    assert found is None or 1971 <= found.year <= 2200


@given(st.datetimes(datetime(1971, 1, 2), datetime(2199, 12, 30)), st.integers(-56, 56))
def test_iso_is_read_back(moment: datetime, quarters: int) -> None:
    moment = moment.replace(tzinfo=zone_of("UTC")) + timedelta(minutes=15 * quarters)
    assert read_stamp(moment.isoformat()) == moment


def read(value: Any) -> tuple[list[SentStage], list[str]]:
    faults: list[Fault] = []
    found = FUNNEL.read(value, "", faults)
    items = [] if faults else [event.noun() for event in found.items]
    return items, [fault.field for fault in faults]


def test_an_item_is_keyed_in_one_of_three_ways() -> None:
    told = {"candidateStatus": " Hired ", "timestamp": 1_620_032_322}
    items, faults = read(
        [
            told | {"jobApplicationId": 17},
            told | {"additionalDetails": {"candidateId": "c", "jobReference": "r"}},
            told | {"clickId": "x", "jobApplicationId": ""},
        ]
    )
    assert faults == []
    assert [item.application_id for item in items] == ["17", "", ""]
    assert items[0].status == "Hired"
    assert (items[1].candidate_id, items[1].job_reference) == ("c", "r")
    assert read(told)[1] == ["/jobApplicationId"]
    assert read([told | {"candidateId": "c"}])[1] == ["/0/jobApplicationId"]


def test_every_fault_of_every_item_is_named() -> None:
    good = {"candidateStatus": "a", "timestamp": "2021-05-03", "jobApplicationId": "1"}
    bad = good | {"timestamp": "x", "candidateStatus": " "}
    assert read([good, bad, 3])[1] == ["/1/candidateStatus", "/1/timestamp", "/2"]
    assert read([])[1] == [""]
    assert read([good] * 1_001)[1] == [""]
    for custom in ({"E-Mail": "x"}, {"first_name": "Ann"}, {"note": "ask ann@x.org"}):
        item = good | {"additionalDetails": {"custom": custom}}
        assert read(item)[1] == ["/additionalDetails/custom"]
    plain = good | {"additionalDetails": {"custom": {"team": "blue"}, "fullName": "Ann"}}
    assert read(plain)[0][0].details == {"custom": {"team": "blue"}}
