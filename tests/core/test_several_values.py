"""A field that a feed says several times: each of its values is found, and none is mixed."""

from datetime import UTC, date
from typing import Any

import pytest

from handbill.contract.filters import read_filter
from handbill.core.feeds import FeedBody
from handbill.core.filter_code import Contender, JobFacts, Matcher
from handbill.core.mapping import compile_mapping
from handbill.core.nouns import JobBody
from handbill.core.tracing import trace
from handbill.dialects.inbound.dates import read_instant
from handbill.jobs.writing import WrittenJob, written

_TODAY = date(2026, 11, 23)
_PLACES = {"shift": 1}
_FEED = FeedBody(
    url="https://feed.example/",
    mappings={
        "schemaMappingsJobCollection": "source",
        "schemaMappingsJob": "job",
        "schemaMappingsTitle": "title",
        "schemaMappingsDescription": "description",
        "schemaMappingsURL": "url",
        "schemaMappingsRefNumber": "referencenumber",
        "schemaMappingsCategory": "category",
        "schemaMappingsType": "type",
        "schemaMappingAdditional": {"shift": "shift"},
    },
)


def _body(**said: str) -> JobBody:
    item = {
        "referencenumber": "R1",
        "title": "Nurse",
        "description": "d",
        "url": "https://a.example/1",
    }
    body = compile_mapping(_FEED, UTC, "USD", read_instant)(item | said).body
    assert body is not None
    return body


def _facts(job: WrittenJob, custom: dict[str, str]) -> JobFacts:
    return JobFacts(
        job.category, "", "", "", "", job.type, job.title, "", job.ref, None, None, custom
    )


@pytest.fixture(scope="module")
def facts() -> JobFacts:
    body = _body(
        category="Nursing\x1e<b>Care</b>, Home\x1eNursing",
        type="FULL_TIME\x1eINTERN",
        shift="a\x1eb",
    )
    assert (body.category, body.type) == ("Nursing, Care, Home", "FULL_TIME, INTERN")
    assert body.additional == {"shift": "a, b"}
    return _facts(written(body, None, None), {"shift": "a\x1eb"})


@pytest.mark.parametrize(
    ("field", "operator", "data", "expected"),
    [
        ("category", "EQUAL", "nursing", True),
        ("category", "EQUAL", "Care, Home", True),
        ("category", "EQUAL", "Nursing, Care, Home", True),
        ("category", "EQUAL", "Care", False),
        ("category", "NOT_EQUAL", "Care, Home", False),
        ("category", "IN", ["Sales", "care, home"], True),
        ("category", "NOT_IN", ["Sales", "Nursing"], False),
        ("category", "BEGINS_WITH", "care", True),
        ("category", "NOT_ENDS_WITH", "ING", False),
        ("category", "CONTAINS", "Nursing, C", True),
        ("type", "EQUAL", "intern", True),
        ("shift", "EQUAL", "b", True),
        ("cif1", "IN", ["c", "a"], True),
    ],
)
def test_a_comparison_holds_for_one_of_several_values(
    facts: JobFacts, field: str, operator: str, data: Any, *, expected: bool
) -> None:
    asked = {"operator": "AND", "rules": [{"field": field, "operator": operator, "data": data}]}
    filters = read_filter(asked)
    best = Matcher([Contender((1, 7), 7, filters)], _TODAY, _PLACES).best(facts)
    assert (best == 7) is expected
    traced = trace(filters, facts, _TODAY, _PLACES)
    assert traced.holds is expected
    assert "\x1e" not in str(traced.deciding[0].value)


def test_the_best_group_for_any_of_the_values_takes_the_job(facts: JobFacts) -> None:
    def for_category(name: str, rank: int) -> Contender:
        rule = {"field": "category", "operator": "EQUAL", "data": name}
        return Contender((rank, rank), rank, read_filter({"operator": "AND", "rules": [rule]}))

    groups = [for_category("Care", 1), for_category("Care, Home", 2), for_category("Nursing", 3)]
    assert Matcher(groups, _TODAY, _PLACES).best(facts) == 2


def test_the_values_of_own_fields_are_stored_apart() -> None:
    assert written(_body(shift="a\x1eb"), None, None).custom == '{"shift":"a\\u001eb"}'
    assert written(_body(shift="a, b"), None, None).custom == '{"shift":"a, b"}'


def test_a_field_that_was_changed_since_is_what_it_was_changed_to() -> None:
    body = _body(category="Nursing\x1eCare")
    body.category = "Sales"
    assert written(body, None, None).category == "Sales"


def test_what_is_too_long_is_cut_and_one_value() -> None:
    """Else a job would keep as much as its feed says, where no filter could find it."""
    names = "\x1e".join(f"category {number}" for number in range(1_000))
    body = _body(category=names, shift=names)
    assert (len(body.category), len(body.additional["shift"])) == (1_000, 4_000)
    assert body.several == {}
