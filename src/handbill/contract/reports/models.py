"""Reports of one file, as they are asked for and told. **Source**: domain 12 and 14.25."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from handbill.contract.stats.models import StatsFilters
from handbill.kit.urls import canonical_url
from handbill.stats.questions import GroupedBy, OfFamily, OneFile, Span
from handbill.wire.fields import AnyCase, Instant, Name
from handbill.wire.models import Model
from handbill.wire.schemas import NOT_BLANK

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
    str, AfterValidator(_code), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})
]


class IpReportRequest(Model):
    makes = OneFile
    call_back_url: CallBackUrl = Field(
        "",
        alias="callBackUrl",
        description="Called (POST) with {reportId, status, url} when the report has succeeded or "
        "failed; signed, see GET /callbacks/secret.",
    )
    filters: StatsFilters = Field(alias="filterBy", description="Which events are counted.")


class _Grouping(Model):
    group_by: Annotated[GroupedBy, AnyCase()] = Field(
        "CLIENT", alias="groupBy", description="What a row is about; CLIENT if absent."
    )
    by_publisher: bool = Field(
        False,
        alias="groupByPublisher",
        description="Whether a row is about a publisher too; false if absent.",
    )


def _of_family(*, client_id: str, span: Span, currency: str = "", **_: Any) -> OfFamily:
    return OfFamily(client_id, span, currency)


class StatsReportRequest(IpReportRequest, _Grouping):
    """Which rows the report has, beside which events it counts."""


class PublisherReportRequest(Model):
    makes = staticmethod(_of_family)
    name: Name = Field(
        "", alias="reportName", description="A name of your own for the report; it is not kept."
    )
    span: Annotated[Span, AnyCase()] = Field(
        alias="period", description="Whole days in the client's zone; LAST_30_DAYS ends today."
    )
    client_id: LongId = Field(alias="clientId", description="The client whose events are counted.")
    family_id: LongId | None = Field(
        None, alias="publisherFamilyId", description="If given, the one of the path."
    )
    currency: Currency = Field(
        "",
        alias="curLocale",
        description="Currency of the amounts. They are kept in one currency and never converted: "
        "any other is refused.",
    )


class ReportAsked(Model):
    """The report will be made."""

    id: str = Field(alias="reportId", description="The report, by which it is asked for.")
    success: Literal[True] = Field(description="The report will be made.")


class PublisherReportAsked(Model):
    """The report will be made."""

    success: Literal[True] = Field(description="The report will be made.")
    id: str = Field(alias="reportId", description="The report, by which it is asked for.")


class CallbackGivenUp(Model):
    """A callback that is tried no more."""

    id: str = Field(description="Its webhook-id.")
    state: Literal["DEAD", "DISABLED"] = Field(
        alias="status",
        description="DEAD: refused, or 8 tries failed. DISABLED: it answered 410.",
    )
    attempts: int = Field(description="How often it was tried.")
    failure: str = Field(alias="message", description="What became of the last try.")


class Report(Model):
    """How far a report is, and where its file is."""

    id: str = Field(alias="reportId", description="The report.")
    state: Literal["IN_PROGRESS", "SUCCESS", "FAILED"] = Field(
        alias="status", description="How far it is."
    )
    url: str | None = Field(
        None,
        exclude_if=lambda one: one is None,
        description="Signed link to its file (CSV), good for 24 hours; on SUCCESS.",
    )
    created_at: Instant = Field(alias="createdOn", description="When it was asked for.")
    expires_at: Instant = Field(alias="expiresOn", description="When it is deleted.")
    message: str | None = Field(
        None,
        exclude_if=lambda one: one is None,
        description="Why it failed; on FAILED.",
    )
    callback: CallbackGivenUp | None = Field(
        None,
        exclude_if=lambda one: one is None,
        description="Only where calling back was given up.",
    )
