"""Bodies of reports: what operations 51, 54, 55 and 59 take in, and what 56 and 60 give out.

**Source**: contract 1 and 3, domain 12 and 14.25.
"""

from dataclasses import dataclass
from typing import Any

from handbill.kit.faults import Fault
from handbill.kit.urls import NotUrl, canonical_url
from handbill.wire.shapes import Choice, Faults, Field, Flag, Object, Schema, Shape, Text
from handbill.wire.spelling import INSTANT, TEXT, WHOLE, described, whole

GROUPS = ("JOB", "JOBGROUP", "CAMPAIGN", "CLIENT")
PERIODS = ("LAST_MONTH", "THIS_MONTH", "LAST_30_DAYS")
STATES = ("IN_PROGRESS", "SUCCESS", "FAILED")
_MOST_URL = 2_000


@dataclass(frozen=True)
class Address(Shape):
    """Where to call back: http or https, read into its one spelling (contract 3, callBackUrl)."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, str) or len(value) > _MOST_URL:
            faults.append(Fault(at, f"must be a URL of at most {_MOST_URL} characters"))
            return ""
        try:
            return canonical_url(value)
        except NotUrl as bad:
            faults.append(Fault(at, str(bad)))
            return ""

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": _MOST_URL}


_CALLBACK = Field(
    Address(),
    "Called (POST) with {reportId, status, url} when the report has succeeded or failed; signed, "
    "see GET /callbacks/secret.",
)


def grouped(filters: Object) -> Object:
    """The body of 51 and 54."""
    return Object({
        "groupBy": Field(Choice(GROUPS), "What a row is about; CLIENT if absent."),
        "groupByPublisher": Field(
            Flag(), "Whether a row is about a publisher too; false if absent."
        ),
        "callBackUrl": _CALLBACK,
        "filterBy": Field(filters, "Which events are counted.", required=True),
    })  # fmt: skip


def by_address(filters: Object) -> Object:
    """The body of 55."""
    return Object({
        "callBackUrl": _CALLBACK,
        "filterBy": Field(filters, "Which events are counted.", required=True),
    })  # fmt: skip


FOR_FAMILY = Object({
    "reportName": Field(Text(0, 200), "A name of your own for the report."),
    "period": Field(
        Choice(PERIODS), "Whole days in the client's zone; LAST_30_DAYS ends today.", required=True
    ),
    "clientId": Field(Text(1, 500), "The client whose events are counted.", required=True),
    "publisherFamilyId": Field(Text(1, 500), "If given, the one of the path."),
    "curLocale": Field(
        Text(3, 3, "[A-Z]{3}", "must be an ISO 4217 code such as USD"),
        "Currency of the amounts. They are kept in one currency and never converted: any other "
        "is refused.",
    ),
})  # fmt: skip

ASKED: Schema = whole({
    "success": {"const": True, "description": "The report will be made."},
    "reportId": described(TEXT, "What to ask for: GET /reports/{report_id}."),
})  # fmt: skip
ASKED_BY_FAMILY: Schema = whole({
    "success": {"const": True, "description": "The report will be made."},
    "reportId": described(TEXT, "What to ask for: GET …/reports/{reportId}."),
})  # fmt: skip
REPORT: Schema = whole(
    {
        "reportId": described(TEXT, "The report."),
        "status": {"type": "string", "enum": list(STATES), "description": "How far it is."},
        "url": described(TEXT, "Signed link to its file (CSV), good for 24 hours; on SUCCESS."),
        "createdOn": described(INSTANT, "When it was asked for."),
        "expiresOn": described(INSTANT, "When it is deleted."),
        "message": described(TEXT, "Why it failed; on FAILED."),
        "callback": described(
            whole({
                "id": described(TEXT, "Its webhook-id."),
                "status": {
                    "enum": ["DEAD", "DISABLED"],
                    "description": "DEAD: refused, or 8 tries failed. DISABLED: it answered 410.",
                },
                "attempts": described(WHOLE, "How often it was tried."),
                "message": described(TEXT, "What became of the last try."),
            }),
            "Only where calling back was given up.",
        ),
    },
    ("url", "message", "callback"),
)  # fmt: skip
