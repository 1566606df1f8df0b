"""Jobs that their owner has ended in the feed: by a date, or by a word."""

from typing import Any

import pytest

from handbill.core.feeds import FeedBody
from handbill.core.mapping import compile_mapping
from handbill.dialects.inbound.dates import read_instant
from handbill.kit.instants import instant_of_iso, iso_of
from handbill.kit.zones import zone_of

_NOW = instant_of_iso("2026-11-28T10:00:00Z")
_MAPPINGS = {
    "schemaMappingsJobCollection": "source",
    "schemaMappingsJob": "job",
    "schemaMappingsTitle": "title",
    "schemaMappingsDescription": "description",
    "schemaMappingsURL": "url",
    "schemaMappingsRefNumber": "referencenumber",
}
_ITEM = {"title": "T", "description": "d", "url": "https://a.example/1", "referencenumber": "R"}


def end_of(node: str, text: str, **mappings: Any) -> tuple[str | None, list[str]]:
    """When the job with this node ends, and what is told of it."""
    feed = FeedBody(url="u", mappings=_MAPPINGS | mappings)
    mapped = compile_mapping(feed, zone_of("UTC-10:00"), "USD", read_instant, now=_NOW)
    found = mapped(_ITEM | {node: text})
    assert found.body is not None
    end = found.body.end_at
    return None if end is None else iso_of(end), [fault.reason for fault in found.faults]


@pytest.mark.parametrize(
    "node",
    [
        "expirationdate",
        "ExpirationDate",
        "valid_through",
        "closing-date",
        "expiresAt",
        "x:expiry",
        "gueltig_bis",
        "job_expiration",
        "advertEndDate",
        "posting_end_date",
        "listing_expires",
        "valid_till",
        "date_closed",
        "expired_at",
        "DeletedAt",
        "endAtDate",
        "archived",
        "dates/expires",
        "application/deadline",
        "posting/expirationDate",
        "publication/end",
        "job/header/posted_until",
        "validity/@to",
        "expires/@date",
        "closing/date",
        "expirationdate/@value",
        "posting_end",
        "Unposting-Date",
        "lastApplyDate",
        "display_end_date",
        "date_d_expiration",
        "Gültig_bis",
        "fecha_de_expiración",
        "data_di_scadenza",
        "ważne_do",
    ],
)
def test_an_end_counts_also_if_the_mapping_does_not_mention_it(node: str) -> None:
    assert end_of(node, "2026-11-20") == ("2026-11-21T09:59:59.999Z", [])


def test_an_end_that_the_mapping_leaves_out_does_not_count() -> None:
    off = {"schemaMappingsExpirationDate": None}
    assert end_of("expirationdate", "2026-11-20", **off) == (None, [])
    other = {"schemaMappingsExpirationDate": "until"}
    assert end_of("expirationdate", "2026-11-20", **other) == (None, [])


@pytest.mark.parametrize(
    "node",
    [
        *("enddate", "job_end_date", "location/expiry", "date", "close", "end", "job/end"),
        *("dates/end", "dates/to", "date/@value", "promotion/expires", "salary/valid_until"),
    ],
)
def test_other_nodes_are_no_ends(node: str) -> None:
    assert end_of(node, "2026-11-20")[0] is None


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31",
        "9999-12-31T23:59:59.999Z",
        "0000-00-00 00:00:00",
        "12/31/2999",
        "99991231",
        "19700101",
        "19700101000000",
        "99991231235959",
        "00000000",
        "00000000000000",
        "0",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "31 December 2999",
        "Dec 31, 2999",
        "1970-01-01",
        "01/01/1970 00:00:00",
        "1900-01-01T00:00:00Z",
        "0001-01-01T00:00:00",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "N/A",
        "ASAP",
        "Rolling",
        "tbd",
        "until further notice",
        "Unbefristet",
        "no deadline",
    ],
)
def test_an_end_that_is_not_set_is_no_fault(text: str) -> None:
    assert end_of("expirationdate", text) == (None, [])


def test_an_end_that_cannot_be_read_is_told() -> None:
    assert end_of("expirationdate", "soon") == (None, ["not_a_date"])
    assert end_of("expirationdate", "today 2359") == (None, ["not_a_date"])
    for text in (
        "2200 Bismarck St open until 2026-01-01",
        "9999 days after 2026-01-01",
        "31122026",
        "10122026",
        "99993112235959",
        "99991231236959",
    ):
        assert end_of("expirationdate", text) == (None, ["not_a_date"])


@pytest.mark.parametrize("first", ["", "9999-12-31", "0000-00-00", "until filled", "tbd"])
def test_an_end_that_is_not_set_hides_no_other(first: str) -> None:
    feed = FeedBody(url="u", mappings=_MAPPINGS)
    mapped = compile_mapping(feed, zone_of("UTC"), "USD", read_instant, now=_NOW)
    found = mapped(_ITEM | {"expirationdate": first, "validthrough": "2020-01-01"})
    assert found.body is not None
    assert found.body.end_at == instant_of_iso("2020-01-01T23:59:59.999Z")
    assert found.faults == []


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ("status", "closed"),
        ("Job_Status", "Expired"),
        ("@status", "INACTIVE"),
        ("status", "Position filled"),
        ("status", "no longer available"),
        ("status", "Geschlossen"),
        ("status", "Pourvu"),
        ("published", "false"),
        ("is-visible", "No"),
        ("active", "false"),
        ("is_active", "0"),
        ("open", "No"),
        ("isExpired", "true"),
        ("deleted", "Yes"),
        ("@action", "delete"),
        ("@type", "delete"),
        ("@op", "Remove"),
        ("deleted", "deleted"),
        ("status", "Closed - Filled"),
        ("state", "closed"),
        ("posting_state", "EXPIRED"),
        ("lifecycle", "archived"),
        ("availability", "out of stock"),
        ("posting/status", "closed"),
        ("meta/active", "false"),
        ("status/@value", "CLOSED"),
    ],
)
def test_a_job_that_is_said_to_be_over_has_ended(node: str, text: str) -> None:
    assert end_of(node, text) == (iso_of(_NOW), [])


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ("status", "open"),
        ("status", "Full-time"),
        ("status", "draft"),
        ("status", "paused"),
        ("status", "on hold"),
        ("status", ""),
        ("active", "true"),
        ("open", "0"),
        ("expired", "false"),
        ("status", "Closed to agencies"),
        ("status", "-"),
        ("state", "TX"),
        ("type", "Full-time"),
        ("status/@date", "2026-11-01"),
        ("application/to", "jobs@a.example"),
        ("meta/closed", "no"),
        ("application/enabled", "false"),
        ("action", "update"),
        ("company/status", "inactive"),
    ],
)
def test_other_words_end_nothing(node: str, text: str) -> None:
    assert end_of(node, text) == (None, [])


def test_what_ended_before_keeps_its_end() -> None:
    feed = FeedBody(url="u", mappings=_MAPPINGS)
    mapped = compile_mapping(feed, zone_of("UTC"), "USD", read_instant, now=_NOW)
    ends = {
        day: mapped(_ITEM | {"status": "closed", "expirationdate": day}).body
        for day in ("2026-11-20", "2036-11-20")
    }
    assert [iso_of((body and body.end_at) or 0) for body in ends.values()] == [
        "2026-11-20T23:59:59.999Z",
        iso_of(_NOW),
    ]
