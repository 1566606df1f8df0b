"""Caps are read in both spellings and told in one."""

from typing import Any

from contract.office import BUDGET, Office
from handbill.contract.caps import Caps as Told
from handbill.contract.caps import NewCaps, NewGroupCaps
from handbill.core.nouns import Cap, Caps
from handbill.kit.faults import Fault
from handbill.kit.jsons import decode, encode
from handbill.wire.models import Model, spelled


def read(of: type[Model], value: Any) -> tuple[Any, list[str]]:
    faults: list[Fault] = []
    found = of.read(value, "", faults)
    return found, [f"{fault.field} {fault.message}" for fault in faults]


def test_caps_are_read_in_both_spellings_and_written_in_one() -> None:
    raw = b'{"budget":{"freq":"monthly","value":12.5,"threshold":70},"clicks":{"value":3}}'
    found, faults = read(NewCaps, decode(raw))
    assert not faults
    caps = found.noun()
    assert caps == Caps(
        budget=Cap("Monthly", 12_500_000, threshold_ppm=700_000), clicks=Cap("Monthly", 3)
    )
    written = encode(spelled(Told.of(caps)))
    assert b'"budget":{"cap":"Monthly","value":12.5,"pacing":false,"thresholdP":70' in written
    assert read(NewCaps, decode(written))[0].noun() == caps


def test_caps_that_cannot_be() -> None:
    value = {"budget": {"cap": "Lifetime", "value": 1}, "clicks": {"cap": "Daily", "value": -1}}
    assert read(NewGroupCaps, value)[1] == [
        "/budget/cap must be one of Daily, Weekly, Monthly",
        "/clicks/cap must be one of Weekly, Monthly",
        "/clicks/value must be at least 0",
    ]
    _, faults = read(NewCaps, {"budget": {"cap": "Daily", "value": 1, "pacing": True}})
    assert faults == ["/budget/pacing is only possible with a Monthly cap"]
    assert read(NewCaps, {})[1] == ["/budget is required"]


WEEKLY = {"cap": "Weekly", "value": 10}
PACED = WEEKLY | {"pacing": True}
HELD = WEEKLY | {"locked": True}
LOCKED = {"cap": "Monthly", "value": 600, "locked": True}
CANNOT_BE: list[tuple[str, Any, str]] = [
    ("client", {"caps": {"budget": PACED}}, "/caps/budget/pacing"),
    ("client", {"clicks": PACED}, "/clicks/pacing"),
    ("campaign", {"caps": BUDGET | {"applies": PACED}}, "/caps/applies/pacing"),
    (
        "campaign",
        {"placementCaps": {"TestExp1": {"budget": PACED}}},
        "/placementCaps/TestExp1/budget/pacing",
    ),
    ("group", {"caps": BUDGET | {"jobBudget": PACED}}, "/caps/jobBudget/pacing"),
    (
        "group",
        {"placements": [{"value": "TestExp1", "caps": {"budget": PACED}}]},
        "/placements/0/caps/budget/pacing",
    ),
    (
        "group",
        {"placements": [{"value": "TestExp1", "caps": {"budget": HELD}}]},
        "/placements/0/caps/budget/locked",
    ),
    (
        "group",
        {
            "placements": [
                {"value": "TestExp1", "caps": {"budget": LOCKED}},
                {"value": "Other", "caps": {"budget": LOCKED}},
            ]
        },
        "/placements/1/caps/budget/locked",
    ),
    ("job", {"jobSetting": {"caps": {"clicks": PACED}}}, "/jobSetting/caps/clicks/pacing"),
    (
        "job",
        {"placementSettings": [{"value": "TestExp1", "caps": {"budget": PACED}}]},
        "/placementSettings/0/caps/budget/pacing",
    ),
]


def test_pacing_and_locks_that_cannot_be_are_told_at_their_field(office: Office) -> None:
    """Wherever a cap may stand."""
    office.new("/publishers", {"id": "Other", "bidType": "CPC"})
    client = office.client()
    campaign = office.campaign(client)
    job = {"refNumber": "1", "title": "t", "description": "d", "url": "https://e.example.com/1"}
    office.new(f"{client}/jobs", job)
    at = {
        "client": client,
        "campaign": campaign,
        "group": office.group(campaign),
        "job": f"{client}/jobs/1",
    }
    for what, body, field in CANNOT_BE:
        assert list(office.faults("PUT", at[what], body)) == [field], body
