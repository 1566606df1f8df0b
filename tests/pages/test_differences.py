"""How the page of changes names what was changed, and its values."""

from typing import Any

import pytest

from handbill.pages.differences import acted, field_difference, named
from handbill.pages.wording import course_of, every, paid_by

RULE = "0b6f2f0e-3c55-4a39-9a43-6f4f7f1a2b11"
CAP = {"period": "Daily", "value": 30_000_000}
LEAF = {"t": "leaf", "field": "category", "operator": "IN", "terms": ["a", "b"]}
CITY = {"t": "leaf", "field": "city", "operator": "CONTAINS", "terms": ["x"]}
ALL = {"t": "branch", "all_of": True, "rules": [LEAF]}
BRANCH = {"t": "branch", "all_of": False, "rules": [ALL, CITY]}
RULES = "filters rules: Category is one of a, b; Category is one of a → Category is one of a, b"
TARGET = "targets: type cpa, value 9 → none"
PLACED = "placements: publisher Talent, is active no → none"
NAMES = {"6ad5": "Ann Lee", RULE: "Pause Job"}


@pytest.mark.parametrize(
    ("field", "before", "after", "expected"),
    [
        ("/status", "A", "P", ["status: active → paused"]),
        ("/caps/budget/value", 1_500_000, 20_000_000, ["caps budget value: 1.5 → 20"]),
        ("/caps/job_budget/value", 1_500_000, 2, ["caps job budget value: 1.5 → 0.000002"]),
        ("/caps/clicks/value", 1_500_000, 20, ["caps clicks value: 1500000 → 20"]),
        ("/caps/budget/threshold_ppm", 800_000, 1, ["caps budget threshold: 80 % → 0.0001 %"]),
        ("/cpc_bid_micros", 770_000, None, ["cpc bid: 0.77 → –"]),
        ("/caps", None, {"budget": CAP}, ["caps: – → budget period Daily, value 30"]),
        ("/targets", [{"type": "cpa", "value_micros": 9_000_000}], [], [TARGET]),
        ("/conditions", [], [{"value_millionths": 500_000}], ["conditions: none → value 0.5"]),
        ("/filters/rules", [LEAF, {**LEAF, "terms": ["a"]}], [LEAF], [RULES]),
        ("/filters", BRANCH, None, ["filters: (Category is one of a, b) or City contains x → –"]),
        ("/placements", [{"publisher_id": "Talent", "is_active": False}], [], [PLACED]),
        ("/ppm", None, 12_500, ["percent: – → 1.25 %"]),
        ("/mappings", {"schemaMappingsURL": "u"}, None, ["mappings: url u → –"]),
        ("/secondFactor", False, True, ["second factor: no → yes"]),
        (f"/runs/{RULE}", None, {"forced": False}, ["runs 0b6f2f0e…: – → forced no"]),
        ("/is_default", 0, 1, ["is default: no → yes"]),
        ("/params", [], ["a", "b"], ["params: none → a, b"]),
        ("/mappings", None, {"a": 1}, ["mappings: – → a 1"]),
        ("/name", "<b>", "", ["name: <b> → –"]),
        ("/name", None, "", []),
        ("/name", "x" * 199, "", [f"name: {'x' * 119}… → –"]),
        ("/heldBy", [], [RULE], ["held by rules: none → Pause Job"]),
        ("/heldAtPlacement7", [RULE], [], ["held at a publisher by rules: Pause Job → none"]),
        ("/link_until", None, "2026-11-29T17:19:39.974Z", ["link until: – → 2026-11-29 17:19 UTC"]),
        ("/body", None, {"bytes": 9_000, "digest": "x"}, ["body: – → a text of 9000 bytes"]),
    ],
)
def test_a_difference_in_words(field: str, before: Any, after: Any, expected: list[str]) -> None:
    change = {"act": "CHANGE", "fields": [{"field": field, "before": before, "after": after}]}
    assert field_difference(change, NAMES) == expected


def test_what_is_made_or_gone_has_one_side_and_a_secret_none() -> None:
    fields = [{"field": "/name", "after": "Nurses"}, {"field": "/url", "after": ""}]
    assert field_difference({"act": "CREATE", "fields": fields}, {}) == ["name: Nurses"]
    gone = [{"field": "/name", "before": "Nurses"}, {"field": "/key", "secret": True}]
    assert field_difference({"act": "DELETE", "fields": gone}, {}) == [
        "name: Nurses",
        "key: set anew, not shown",
    ]


@pytest.mark.parametrize(
    ("kind", "id_", "expected"),
    [
        ("PERSON", "6ad5", "Ann Lee"),
        ("PERSON", "of somebody removed", "A person"),
        ("API_CLIENT", "k3v9x2m7q1z5n8d4s6h0a2c4e", "A program"),
        ("CLI", "root", "root, by command"),
        ("RULE", RULE, "Rule Pause Job"),
        ("RULE", "deleted", "A rule"),
        ("CONTROL", "", "Handbill"),
    ],
)
def test_who_has_made_a_change(kind: str, id_: str, expected: str) -> None:
    assert acted({"actor": {"kind": kind, "id": id_}}, NAMES) == expected


def test_an_entity_has_its_name_or_the_beginning_of_its_id() -> None:
    entity = {"id": "394ab04a-adbc-4aff-b7e1-b69bd6580565"}
    fields = [{"field": "/status", "after": "A"}, {"field": "/name", "after": "Nurses"}]
    assert named({"entity": entity, "fields": fields}) == "Nurses"
    assert named({"entity": entity, "fields": fields[:1]}) == "394ab04a…"
    assert named({"entity": {"id": "Talent"}, "fields": []}) == "Talent"


@pytest.mark.parametrize(
    ("used", "pace", "expected"),
    [
        (150, 706, "The lifetime budget is used up."),
        (100, 88, "Spend is 12 % under plan."),
        (0, None, "It is too early to say whether spend is on plan."),
    ],
)
def test_how_a_budget_runs(used: int, pace: int | None, expected: str) -> None:
    cap = {"used": used, "value": 150, "period": "Lifetime", "pace": pace}
    assert course_of(cap) == expected


def test_a_rhythm_in_hours_and_minutes() -> None:
    assert [every(minutes) for minutes in (None, 5, 120, 361)] == ["–", "5 min", "2 h", "6 h 1 min"]
    assert [paid_by(code) for code in ("CPC", "FLAT_CPC")] == ["CPC", "Flat CPC"]
