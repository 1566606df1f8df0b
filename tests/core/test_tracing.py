"""Traces: the same verdict as the compiled filter, and comparisons that really decide it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.test_filters import FILTERS, JOB, JOBS, PLACES, TODAY
from handbill.contract.filters import read_filter
from handbill.core.filter_code import Contender, JobFacts, Matcher
from handbill.core.nouns import Branch, Leaf
from handbill.core.tracing import Trace, trace

OTHER_DAY = date(2026, 12, 24)


def compiled(branch: Branch, job: JobFacts, today: date = TODAY) -> bool:
    return Matcher([Contender((1, 7), 7, branch)], today, PLACES).best(job) == 7


@given(filters=FILTERS, job=JOBS, today=st.sampled_from([TODAY, OTHER_DAY]))
def test_the_verdict_is_the_compiled_one(
    filters: dict[str, Any], job: JobFacts, today: date
) -> None:
    branch = read_filter(filters)
    assert trace(branch, job, today, PLACES).holds is compiled(branch, job, today)


@given(filters=FILTERS, job=JOBS)
def test_each_deciding_comparison_says_what_it_says_alone(
    filters: dict[str, Any], job: JobFacts
) -> None:
    found = trace(read_filter(filters), job, TODAY, PLACES)
    assert found.deciding
    for one in found.deciding:
        assert one.holds is compiled(Branch(True, (one.leaf,)), job)


@given(filters=FILTERS, job=JOBS, others=st.booleans())
def test_the_other_comparisons_do_not_matter(
    filters: dict[str, Any], job: JobFacts, others: bool
) -> None:
    branch = read_filter(filters)
    found = trace(branch, job, TODAY, PLACES)
    told = {one.leaf: one.holds for one in found.deciding}

    def verdict(rule: Branch | Leaf) -> bool:
        if isinstance(rule, Leaf):
            return told.get(rule, others)
        return (all if rule.all_of else any)([verdict(inner) for inner in rule.rules])

    assert verdict(branch) is found.holds


def _traced(operator: str, *rules: tuple[str, str, Any]) -> Trace:
    leaves = [{"field": name, "operator": word, "data": data} for name, word, data in rules]
    return trace(read_filter({"operator": operator, "rules": leaves}), JOB, TODAY, PLACES)


def _told(found: Trace) -> Iterator[tuple[str, str | int | None, bool]]:
    return ((one.leaf.field, one.value, one.holds) for one in found.deciding)


@pytest.mark.parametrize(
    ("operator", "holds", "told"),
    [
        ("AND", False, [("cif2", "Blue", False)]),
        ("OR", True, [("city", "Austin", True)]),
    ],
)
def test_one_comparison_may_decide(operator: str, holds: bool, told: list[Any]) -> None:
    rules = (("city", "EQUAL", "austin"), ("cif2", "EQUAL", "red"), ("cpcBid", "EQUAL", "2"))
    found = _traced(operator, *rules)
    assert found.holds is holds
    assert list(_told(found)) == told


def test_all_comparisons_may_be_needed() -> None:
    rules = (("cpcBid", "LESS_THAN", "2"), ("postedDate", "LESS_THAN", "4"), ("none", "EQUAL", ""))
    found = _traced("AND", *rules)
    assert found.holds
    values = [("cpcBid", 1_500_000, True), ("postedDate", "2026-11-20", True), ("none", "", True)]
    assert list(_told(found)) == values
