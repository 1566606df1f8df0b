"""Filters: what is refused and where, both spellings, and compiled code against an interpreter
that knows nothing of compiling.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from handbill.contract.filters import JobTree, read_filter, spell
from handbill.core.feed_text import ALSO
from handbill.core.filter_code import Contender, JobFacts, Matcher
from handbill.core.filters import TEXT_FIELDS, asks_age, kind_of
from handbill.core.nouns import Branch, Leaf
from handbill.kit.faults import Fault
from handbill.kit.money import micros_of
from handbill.wire.models import Model
from handbill.wire.wrong import Wrong


class Taking(Model):
    tree: JobTree = Field(description="A filter.")


TODAY = date(2026, 11, 23)
PLACES = {"salary": 1, "Team": 2}
JOB = JobFacts(
    "Nursing",
    "US",
    "TX",
    "Austin",
    "78701",
    "FULL_TIME",
    "Senior Nurse",
    "Acme",
    "R-1",
    "2026-11-20",
    1_500_000,
    {"salary": "50k", "Team": "Blue"},
)


def faults_of(value: Any) -> list[str]:
    with pytest.raises(Wrong) as refused:
        read_filter(value)
    return [fault.field for fault in refused.value.faults]


def one(field: str, operator: str, data: Any) -> dict[str, Any]:
    return {"operator": "AND", "rules": [{"field": field, "operator": operator, "data": data}]}


def holds(value: Any, job: JobFacts = JOB) -> bool:
    return Matcher([Contender((1, 7), 7, read_filter(value))], TODAY, PLACES).best(job) == 7


@pytest.mark.parametrize(
    ("field", "operator", "data", "expected"),
    [
        ("city", "EQUAL", "austin", True),
        ("city", "equal", "AUSTIN", True),
        ("city", "NOT_EQUAL", "austin", False),
        ("city", "IN", ["Dallas", "Austin"], True),
        ("city", "NOT_IN", ["Dallas", "Houston"], True),
        ("title", "BEGINS_WITH", "senior", True),
        ("title", "NOT_BEGINS_WITH", "nurse", True),
        ("title", "CONTAINS", "OR NU", True),
        ("title", "NOT_CONTAINS", "nurse", False),
        ("title", "ENDS_WITH", "NURSE", True),
        ("title", "NOT_ENDS_WITH", "nurse", False),
        ("salary", "EQUAL", "50K", True),
        ("cif2", "EQUAL", "blue", True),
        ("cif3", "NOT_EQUAL", "blue", True),
        ("nothing", "EQUAL", "", True),
        ("nothing", "NOT_CONTAINS", "x", True),
        ("city", "EQUAL", " Austin ", True),
        ("zip", "EQUAL", 78701, True),
        ("zip", "EQUAL", Decimal("78701.0"), True),
        ("zip", "IN", [50667, 78701], True),
        ("title", "CONTAINS", " nurse", True),
        ("title", "CONTAINS", "nurse ", False),
        ("postedDate", "ON", "11/20/2026", True),
        ("postedDate", "BEFORE", "11/20/2026", False),
        ("postedDate", "AFTER", "11/19/2026", True),
        ("postedDate", "BETWEEN", ["11/20/2026", "11/20/2026"], True),
        ("postedDate", "GREATER_THAN", "3", False),
        ("postedDate", "GREATER_THAN", "2", True),
        ("postedDate", "LESS_THAN", "3", False),
        ("postedDate", "LESS_THAN", "4", True),
        ("cpcBid", "EQUAL", "1.5", True),
        ("cpcBid", "EQUAL", "1.500001", False),
        ("cpcBid", "GREATER_THAN", "1.499999", True),
        ("cpcBid", "GREATER_THAN_EQUAL", "1.50", True),
        ("cpcBid", "LESS_THAN", "1.50", False),
        ("cpcBid", "LESS_THAN_EQUAL", "1.50", True),
        ("cpcBid", "BETWEEN", ["1", "1.5"], True),
    ],
)
def test_each_operator(field: str, operator: str, data: Any, expected: bool) -> None:
    assert holds(one(field, operator, data)) is expected


@pytest.mark.parametrize("operator", ["GREATER_THAN", "LESS_THAN", "ON", "BEFORE", "AFTER"])
def test_a_job_without_a_date_or_a_bid_is_found_by_no_comparison(operator: str) -> None:
    bare = JOB._replace(posted_on=None, cpc_micros=None)
    data = "5" if operator in {"GREATER_THAN", "LESS_THAN"} else "01/01/2026"
    assert not holds(one("postedDate", operator, data), bare)
    if operator in {"GREATER_THAN", "LESS_THAN"}:
        assert not holds(one("cpcBid", operator, "9"), bare)


def test_blanks_and_the_form_of_accents_do_not_count() -> None:
    job = JOB._replace(city=" Ko\u0308ln ", company="ACME ", title="  RN  ")
    assert holds(one("city", "EQUAL", "K\xf6ln"), job)
    assert holds(one("city", "IN", ["KO\u0308LN"]), job)
    assert holds(one("city", "BEGINS_WITH", "k\xf6"), job)
    assert holds(one("company", "ENDS_WITH", "acme"), job)
    assert not holds(one("title", "NOT_EQUAL", "rn"), job)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("New\xa0York", "New York"),
        ("New  York", "new\u2003york"),
        ("New\u200b\tYork", "NEW YORK"),
        ("\u0130stanbul", "istanbul"),
        ("ISTANBUL", "\u0130stanbul"),
        ("\uff34\uff4f\uff4b\uff59\uff4f", "Tokyo"),
        ("Nu\xadrse\ufeff", "Nurse"),
    ],
)
def test_what_people_read_is_compared(written: str, asked: str) -> None:
    job = JOB._replace(city=f"{written} ")
    for operator in ("EQUAL", "BEGINS_WITH", "CONTAINS", "ENDS_WITH"):
        assert holds(one("city", operator, asked), job)
    assert not holds(one("city", "NOT_EQUAL", asked), job)
    assert holds(one("city", "CONTAINS", "\xa0yo"), JOB._replace(city="New York"))
    assert not holds(one("city", "CONTAINS", "\u200b"), job)


def test_every_fault_is_told_at_its_place() -> None:
    filters = {
        "operator": "XOR",
        "rules": [
            {"field": "city", "operator": "GREATER_THAN", "data": "1"},
            {"field": "city", "operator": "IN", "data": "Austin"},
            {"field": "", "operator": "EQUAL", "data": "x"},
            {"field": "postedDate", "operator": "ON", "data": "13/13/2026"},
            {"field": "postedDate", "operator": "BETWEEN", "data": ["02/01/2026", "01/01/2026"]},
            {"field": "cpcBid", "operator": "EQUAL", "data": "-1"},
            {"field": "cpcBid", "operator": "BETWEEN", "data": ["2", "x"]},
            {"operator": "OR", "rules": []},
            {"field": "title", "operator": "CONTAINS", "data": ""},
            17,
            {"field": "", "operator": "NO"},
            {"operator": "EQUAL"},
            {"field": "city", "operator": "NO"},
        ],
    }
    assert faults_of(filters) == [
        "/operator",
        "/rules/0/operator",
        "/rules/1/data",
        "/rules/2/field",
        "/rules/3/data",
        "/rules/4/data",
        "/rules/5/data",
        "/rules/6/data/1",
        "/rules/7/rules",
        "/rules/8/data",
        "/rules/9",
        "/rules/10/field",
        "/rules/10/operator",
        "/rules/10/data",
        "/rules/11/field",
        "/rules/11/data",
        "/rules/12/operator",
        "/rules/12/data",
    ]


@pytest.mark.parametrize("odd", [None, [], "AND", {}, {"operator": "AND"}, one("a", "IN", [])])
def test_no_shape_gets_through(odd: Any) -> None:
    assert faults_of(odd)


def test_three_groups_deep_and_no_deeper() -> None:
    leaf = {"field": "city", "operator": "EQUAL", "data": "x"}
    third = {"operator": "ANY", "rules": [leaf]}
    second = {"operator": "all", "rules": [third]}
    assert read_filter({"operator": "And", "rules": [second]})
    deep = {"operator": "OR", "rules": [{"operator": "OR", "rules": [second]}]}
    assert faults_of(deep) == ["/rules/0/rules/0/rules/0"]
    faults: list[Fault] = []
    Taking.read({"tree": deep}, "", faults)
    assert [fault.field for fault in faults] == ["/tree/rules/0/rules/0/rules/0"]


def test_comparisons_are_bounded() -> None:
    hundred = {"operator": "OR", "rules": [one("city", "EQUAL", "x")["rules"][0]] * 100}
    assert read_filter({"operator": "AND", "rules": [hundred] * 10})
    assert faults_of({"operator": "AND", "rules": [hundred] * 11}) == [""]
    assert faults_of({"operator": "AND", "rules": [hundred] * 101}) == ["/rules"]


def test_dates_are_read_as_documented_and_emitted_so() -> None:
    for text in ("11/20/2026", "20/11/2026", "2026-11-20"):
        assert spell(read_filter(one("postedDate", "ON", text)), "ALL_ANY") == {
            "operator": "ALL",
            "rules": [{"operator": "ON", "field": "postedDate", "data": "11/20/2026"}],
        }


def test_only_ages_move_with_the_day() -> None:
    assert asks_age(read_filter(one("postedDate", "LESS_THAN", "7")))
    assert not asks_age(read_filter(one("postedDate", "AFTER", "01/01/2026")))
    assert not asks_age(read_filter(one("cpcBid", "LESS_THAN", "7")))


HOSTILE = "');import os;os.system('x')#\n\"\"\"\\"


def test_texts_of_users_are_never_code() -> None:
    filters = {
        "operator": "AND",
        "rules": [
            {"field": HOSTILE, "operator": "EQUAL", "data": HOSTILE},
            {"field": HOSTILE, "operator": "NOT_IN", "data": [HOSTILE + "x", "{r}"]},
            {"field": "title", "operator": "CONTAINS", "data": HOSTILE},
        ],
    }
    job = JOB._replace(title=f"a{HOSTILE}b", custom={HOSTILE: HOSTILE})
    assert holds(filters, job)
    assert not holds(filters, JOB)


# ── compiled = interpreted ──────────────────────────────────────────────────────────────────────
WORDS = st.sampled_from(["", "a", "A", "ab", "aB", "straße", "STRASSE", "x'y", "b\\"])
DAYS = st.dates(date(2026, 11, 10), date(2026, 11, 26))
BIDS = st.sampled_from(["0", "1", "1.5", "1.50", "2.000001"])
TEXT_OPERATORS = ["EQUAL", "IN", "BEGINS_WITH", "CONTAINS", "ENDS_WITH"]


def leaves() -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from([*TEXT_FIELDS, "salary", "cif2", "other"])
    operators = st.sampled_from([n + o for o in TEXT_OPERATORS for n in ("", "NOT_")])
    some = WORDS.filter(bool)

    def text(field: str, operator: str) -> st.SearchStrategy[dict[str, Any]]:
        datum: st.SearchStrategy[Any] = WORDS if operator.endswith("EQUAL") else some
        if operator.endswith("IN") and operator in {"IN", "NOT_IN"}:
            datum = st.lists(WORDS, min_size=1, max_size=3)
        return datum.map(lambda data: {"field": field, "operator": operator, "data": data})

    def rule(field: str, operator: str, data: st.SearchStrategy[Any]) -> Any:
        return data.map(lambda found: {"field": field, "operator": operator, "data": found})

    spelled = DAYS.map(lambda day: day.strftime("%m/%d/%Y"))
    pairs = st.lists(DAYS, min_size=2, max_size=2).map(
        lambda two: [day.strftime("%m/%d/%Y") for day in sorted(two)]
    )
    two_bids = st.lists(BIDS, min_size=2, max_size=2).map(lambda two: sorted(two, key=Decimal))
    return st.one_of(
        st.tuples(names, operators).flatmap(lambda two: text(*two)),
        *[rule("postedDate", o, st.integers(0, 9).map(str)) for o in ("GREATER_THAN", "LESS_THAN")],
        *[rule("postedDate", o, spelled) for o in ("ON", "BEFORE", "AFTER")],
        rule("postedDate", "BETWEEN", pairs),
        *[
            rule("cpcBid", o, BIDS)
            for o in ("EQUAL", "GREATER_THAN", "LESS_THAN", "GREATER_THAN_EQUAL", "LESS_THAN_EQUAL")
        ],
        rule("cpcBid", "BETWEEN", two_bids),
    )


def branches(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "operator": st.sampled_from(["AND", "or", "Any", "ALL"]),
            "rules": st.lists(inner, min_size=1, max_size=3),
        }
    )


SEVERAL = st.lists(WORDS, min_size=1, max_size=3).map(ALSO.join)
FILTERS = branches(leaves() | branches(leaves() | branches(leaves())))
JOBS = st.builds(
    JobFacts,
    *[SEVERAL] * 9,
    st.none() | DAYS.map(date.isoformat),
    st.none() | BIDS.map(lambda bid: micros_of(Decimal(bid))),
    st.dictionaries(st.sampled_from(["salary", "Team", "other"]), SEVERAL, max_size=3),
)


def interpreted(rule: Branch | Leaf, job: JobFacts) -> bool:
    if isinstance(rule, Branch):
        answers = [interpreted(inner, job) for inner in rule.rules]
        return all(answers) if rule.all_of else any(answers)
    kind = kind_of(rule.field)
    if kind == "text":
        name = {"cif1": "salary", "cif2": "Team"}.get(rule.field, rule.field)
        field = dict(zip(TEXT_FIELDS, job, strict=False)).get(name, job.custom.get(name, ""))
        return interpreted_texts(rule, normalize("NFC", str(field)).casefold())
    if kind == "date":
        return job.posted_on is not None and interpreted_date(
            rule, date.fromisoformat(job.posted_on)
        )
    if job.cpc_micros is None:
        return False
    bid = Decimal(job.cpc_micros) / 1_000_000
    low, high = Decimal(rule.terms[0]), Decimal(rule.terms[-1])
    return {
        "EQUAL": bid == low,
        "GREATER_THAN": bid > low,
        "LESS_THAN": bid < low,
        "GREATER_THAN_EQUAL": bid >= low,
        "LESS_THAN_EQUAL": bid <= low,
        "BETWEEN": low <= bid <= high,
    }[rule.operator]


def interpreted_texts(leaf: Leaf, field: str) -> bool:
    if leaf.operator.startswith("NOT_"):
        positive = Leaf(leaf.field, leaf.operator.removeprefix("NOT_"), leaf.terms)
        return not interpreted_texts(positive, field)
    every = {field.replace(ALSO, ", "), *field.split(ALSO)}
    return any(interpreted_text(leaf, one.strip()) for one in every)


def interpreted_text(leaf: Leaf, field: str) -> bool:
    terms = [normalize("NFC", term).casefold() for term in leaf.terms]
    if leaf.operator in {"EQUAL", "IN"}:
        terms = [term.strip() for term in terms]
    tests: dict[str, Callable[[str, str], bool]] = {
        "EQUAL": str.__eq__,
        "IN": str.__eq__,
        "BEGINS_WITH": str.startswith,
        "CONTAINS": str.__contains__,
        "ENDS_WITH": str.endswith,
    }
    return any(tests[leaf.operator](field, term) for term in terms)


def interpreted_date(leaf: Leaf, posted: date) -> bool:
    if leaf.operator in {"GREATER_THAN", "LESS_THAN"}:
        age, days = TODAY - posted, timedelta(days=int(leaf.terms[0]))
        return age > days if leaf.operator == "GREATER_THAN" else age < days
    low, high = date.fromisoformat(leaf.terms[0]), date.fromisoformat(leaf.terms[-1])
    return {
        "ON": posted == low,
        "BEFORE": posted < low,
        "AFTER": posted > low,
        "BETWEEN": low <= posted <= high,
    }[leaf.operator]


@settings(max_examples=300)
@given(filters=FILTERS, jobs=st.lists(JOBS, min_size=1, max_size=5))
def test_compiled_is_interpreted(filters: dict[str, Any], jobs: list[JobFacts]) -> None:
    branch = read_filter(filters)
    matcher = Matcher([Contender((1, 3), 3, branch)], TODAY, PLACES)
    for job in jobs:
        assert (matcher.best(job) == 3) is interpreted(branch, job)


@settings(max_examples=150)
@given(
    many=st.lists(st.tuples(st.integers(0, 3), FILTERS), max_size=8),
    jobs=st.lists(JOBS, min_size=1, max_size=5),
)
def test_the_best_ranked_group_that_holds_wins(
    many: list[tuple[int, dict[str, Any]]], jobs: list[JobFacts]
) -> None:
    contenders = [
        Contender((priority, no), no, read_filter(filters))
        for no, (priority, filters) in enumerate(many, 1)
    ]
    matcher = Matcher(contenders, TODAY, PLACES)
    for job in jobs:
        expected = next(
            (c.group_no for c in sorted(contenders) if interpreted(c.filters, job)), None
        )
        assert matcher.best(job) == expected


@given(filters=FILTERS)
def test_what_is_spelled_reads_back_the_same(filters: dict[str, Any]) -> None:
    branch = read_filter(filters)
    assert read_filter(spell(branch, "AND_OR")) == branch
    assert read_filter(spell(branch, "ALL_ANY")) == branch
