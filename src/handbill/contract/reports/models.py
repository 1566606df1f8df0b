"""Reports of one file, as they are asked for and told. **Source**: domain 12 and 14.25."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from handbill.contract.stats.models import StatsFilters
from handbill.kit.urls import canonical_url
from handbill.stats.questions import GroupedBy, OfFamily, OneFile, Span
from handbill.wire.fields import InCapitals, Instant, Name
from handbill.wire.models import Model, is_none
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.words import AnyCase

_MOST_URL = 2_000
LongId = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NOT_BLANK)]
CallBackUrl = Annotated[
    str,
    StringConstraints(max_length=_MOST_URL),
    AfterValidator(canonical_url),
    WithJsonSchema({"type": "string", "maxLength": _MOST_URL}),
]


def _code(text: str) -> str:
    if len(text) != 3 or not (text.isascii() and text.isalpha() and text.isupper()):
        raise ValueError("must be an ISO 4217 code such as USD")
    return text


Currency = Annotated[
    str,
    InCapitals,
    AfterValidator(_code),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"}),
]


class IpReportRequest(Model):
    makes = OneFile
    call_back_url: CallBackUrl = Field(
        "",
        alias="callBackUrl",
        description="URL that is called (POST) with {reportId, status, url} when the report has "
        "succeeded or failed. Signed: see GET /callbacks/secret.",
    )
    filters: StatsFilters = Field(alias="filterBy", description="Events that are counted.")


class _Grouping(Model):
    group_by: Annotated[GroupedBy, AnyCase()] = Field(
        "CLIENT", alias="groupBy", description="First level of grouping. Default: CLIENT."
    )
    by_publisher: bool = Field(
        False,
        alias="groupByPublisher",
        description="Whether rows are also grouped by publisher. Default: false.",
    )


def _of_family(*, client_id: str, span: Span, currency: str = "", **_: Any) -> OfFamily:
    return OfFamily(client_id, span, currency)


class StatsReportRequest(IpReportRequest, _Grouping):
    """Filters of the rows, and the events that are counted."""


class PublisherReportRequest(Model):
    makes = staticmethod(_of_family)
    name: Name = Field(
        "", alias="reportName", description="A name for the report. It is not stored."
    )
    span: Annotated[Span, AnyCase()] = Field(
        alias="period", description="Whole days in the client's zone; LAST_30_DAYS ends today."
    )
    client_id: LongId = Field(alias="clientId", description="The client whose events are counted.")
    family_id: LongId | None = Field(
        None, alias="publisherFamilyId", description="The id of the path, if given."
    )
    currency: Currency = Field(
        "",
        alias="curLocale",
        description="Currency of the amounts. Only the agency's currency is accepted: "
        "amounts are reported as they were booked.",
    )


class ReportAsked(Model):
    """The report will be made."""

    id: str = Field(alias="reportId", description="The report's id.")
    success: Literal[True] = Field(description="The report will be made.")


class PublisherReportAsked(Model):
    """The report will be made."""

    success: Literal[True] = Field(description="The report will be made.")
    id: str = Field(alias="reportId", description="The report's id.")


class CallbackGivenUp(Model):
    """A callback that is not tried again."""

    id: str = Field(description="The webhook-id of the callback.")
    state: Literal["DEAD", "DISABLED"] = Field(
        alias="status",
        description="DEAD: refused, or 8 tries failed. DISABLED: it answered 410.",
    )
    attempts: int = Field(description="Number of attempts.")
    failure: str = Field(alias="message", description="Result of the last attempt.")


class Report(Model):
    """State of a report, and the link to its file."""

    id: str = Field(alias="reportId", description="The report.")
    state: Literal["IN_PROGRESS", "SUCCESS", "FAILED"] = Field(
        alias="status", description="State of the report."
    )
    url: str | None = Field(
        None,
        exclude_if=is_none,
        description="Signed link to the CSV file, valid for 24 hours. Only with SUCCESS.",
    )
    created_at: Instant = Field(alias="createdOn", description="When the report was requested.")
    expires_at: Instant = Field(alias="expiresOn", description="When the report is deleted.")
    message: str | None = Field(
        None, exclude_if=is_none, description="Why the report failed. Only with FAILED."
    )
    callback: CallbackGivenUp | None = Field(
        None, exclude_if=is_none, description="Present only if the callback was given up."
    )
