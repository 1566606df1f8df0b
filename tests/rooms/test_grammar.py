"""What filters mean may change with an upgrade: then jobs are matched anew."""

import hashlib
from datetime import date
from itertools import product

from handbill.core.feed_text import ALSO
from handbill.core.filter_code import JobFacts, compile_leaves
from handbill.core.filters import DATE_FIELD, NUMBER_FIELD, OPERATORS
from handbill.core.nouns import Leaf
from handbill.groups.contest import GRAMMAR

_TEXTS = (
    *("", " ", "Nurse", " nurse", "NURSE ", "nurse (night)", "senior  nurse", "senior\u00a0nurse"),
    *("Straße", "STRASSE", "İzmir", "izmir", "Zürich", "Zu\u0308rich", "ｃａｆé", "cafe", "oﬃce"),
    *("office", "on\u00adline", "online", "Sales, Retail", "Sales", "2", "２"),
)
_DAYS = (None, "2026-11-01", "2026-11-22", "2026-11-23", "2026-11-24")
_BIDS = (None, 0, 500_000, 1_000_000)


def _leaves() -> list[Leaf]:
    texts = product(sorted(OPERATORS["text"]), _TEXTS)
    ages = product(("GREATER_THAN", "LESS_THAN"), ("0", "1", "22"))
    days = product(("ON", "BEFORE", "AFTER"), ("2026-11-22", "2026-11-23"))
    single = sorted(OPERATORS["number"] - {"BETWEEN"})
    return [
        *(Leaf("title", operator, (term,)) for operator, term in texts),
        *(Leaf("title", operator, ("Sales", "cafe")) for operator in ("IN", "NOT_IN")),
        *(Leaf(DATE_FIELD, operator, (term,)) for operator, term in (*ages, *days)),
        Leaf(DATE_FIELD, "BETWEEN", ("2026-11-01", "2026-11-22")),
        *(Leaf(NUMBER_FIELD, operator, ("0.5",)) for operator in single),
        Leaf(NUMBER_FIELD, "BETWEEN", ("0", "0.5")),
    ]


def _job(title: str = "", day: str | None = None, bid: int | None = None) -> JobFacts:
    return JobFacts("", "", "", "", "", "", title, "", "", day, bid, {})


def test_its_number_is_raised_with_the_meaning_of_filters() -> None:
    """If this fails, raise GRAMMAR, and write what is found here."""
    says = compile_leaves(_leaves(), date(2026, 11, 23), {})
    jobs = [_job(text) for text in (*_TEXTS, f"Sales{ALSO}cafe")]
    jobs += [_job(day=day, bid=bid) for day, bid in product(_DAYS, _BIDS)]
    found = "".join(f"{holds:d}" for job in jobs for holds in says(job))
    assert (GRAMMAR, hashlib.sha256(found.encode()).hexdigest()[:16]) == (2, "db77f4d205088602")
