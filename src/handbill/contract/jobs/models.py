"""Jobs, as they are read and told. **Source**: contract 1 (11 to 18), domain 1.7, 14.15 to 19."""

import re
from collections.abc import Callable
from decimal import Decimal
from operator import not_
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from handbill.contract.caps import JobCaps, NewPlacementCaps, PlacementCaps
from handbill.contract.envelopes import in_order
from handbill.core import nouns
from handbill.kit.faults import Fault
from handbill.kit.urls import page_url, seen_url
from handbill.wire.bodies import Array
from handbill.wire.date_patterns import Read, read_when
from handbill.wire.fields import DIGITS, Day, Filled, InCapitals, Matching, Money, Percent
from handbill.wire.models import Model, is_none, partial
from handbill.wire.wrong import Wrong

_MOST_ZIP: Final = 32
_MOST_PUBLISHERS: Final = 200
_ACTIVE: Final = "False keeps the job off this publisher. Default: true."


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if isinstance(value, int | Decimal) else value
    if not isinstance(text, str):
        raise ValueError("must be a string")  # noqa: TRY004 - a fault of the caller's
    if len(text) > 4_000:
        raise ValueError("must have at most 4000 characters")
    return text


def _zip(value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be a string or an integer")  # noqa: TRY004 - a fault of the caller's
    if len(str(value)) > _MOST_ZIP:
        raise ValueError(f"must have at most {_MOST_ZIP} characters")
    return value


def _named(pattern: str) -> Callable[[str], str]:
    def read(name: str) -> str:
        if not re.fullmatch(pattern, name):
            raise ValueError("is not a name that can be used here")
        return name

    return read


def _when(value: Any) -> Read | None:
    is_blank = isinstance(value, str) and not value.strip()
    return None if is_blank else read_when(value)


def _page(text: str) -> str:
    text = seen_url(text)
    if text:
        page_url(text)
    return text


Short = Annotated[str, Field(max_length=500)]
Place = Annotated[str, Field(max_length=300)]
PublisherId = Annotated[str, Filled(100)]
Zip = Annotated[
    Any,
    PlainValidator(_zip),
    WithJsonSchema({"type": ["string", "integer"], "maxLength": _MOST_ZIP}, "validation"),
    WithJsonSchema({"type": ["string", "integer"]}, "serialization"),
]
"""A string or an integer, kept as it came."""
Page = Annotated[str, Field(max_length=8_192), AfterValidator(_page)]
"""An address that visitors can be sent to; kept as it came, but for its outer blanks."""
When = Annotated[Any, PlainValidator(_when), WithJsonSchema({"type": "string", "maxLength": 40})]
"""A day or a moment, before the client's zone says which instant it is; blank says null."""
Word = Annotated[
    str,
    PlainValidator(_word),
    WithJsonSchema({"type": ["string", "number", "boolean"], "maxLength": 4_000}, "validation"),
    WithJsonSchema({"type": "string"}, "serialization"),
]
"""The value of an own field: text; a number or a truth is taken as its JSON text."""
OwnName = Annotated[str, AfterValidator(_named(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"))]
NodeName = Annotated[str, AfterValidator(_named(r"(?![Xx][Mm][Ll])[A-Za-z_][A-Za-z0-9_.-]{0,99}"))]
OwnFields = Annotated[dict[OwnName, Word], Field(max_length=50)]
Nodes = Annotated[dict[NodeName, Word], Field(max_length=50)]
SomeDay = Annotated[Day, AfterValidator(lambda day: day or None)]
"""A day; empty says null."""


class PublisherFields(Model):
    """Publishers that may carry the job, and its additional nodes in their feeds, by id."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Nodes] = Field(init=False)
    publishers: Annotated[list[PublisherId], Field(max_length=1_000)] | None = Field(
        None, exclude_if=is_none, description="Only these publishers may carry the job."
    )

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if len(self.__pydantic_extra__) >= _MOST_PUBLISHERS:
            raise Wrong(Fault("", f"must have at most {_MOST_PUBLISHERS} keys"))
        return self

    def noun(self) -> nouns.PublisherFields:
        """An empty list allows all."""
        allowed = tuple(self.publishers or ()) or None
        return nouns.PublisherFields(allowed, self.__pydantic_extra__)


class JobSetting(Model):
    """Bids, markdown, caps and dates of one job alone."""

    makes = staticmethod(
        lambda caps=None, **rows: nouns.JobSetting(caps=caps or nouns.Caps(), **rows)
    )
    merged = True
    cpc_bid_micros: Money | None = Field(
        None, alias="cpcBid", exclude_if=is_none, description="CPC bid in place of the job group's."
    )
    cpa_bid_micros: Money | None = Field(
        None, alias="cpaBid", exclude_if=is_none, description="CPA bid in place of the job group's."
    )
    markdown_ppm: Annotated[int, Percent()] | None = Field(
        None,
        alias="markdown",
        exclude_if=is_none,
        description="Percent taken off the bid that publishers see.",
    )
    caps: JobCaps | None = Field(
        None,
        exclude_if=is_none,
        description="Caps of the job alone, in whichever job group it is; not Daily.",
    )
    start_on: SomeDay | None = Field(
        None,
        alias="startDate",
        exclude_if=is_none,
        description="First day on which it is advertised, mm/dd/yyyy.",
    )
    end_on: SomeDay | None = Field(
        None,
        alias="endDate",
        exclude_if=is_none,
        description="Last day on which it is advertised, mm/dd/yyyy.",
    )

    _in_order = in_order


class JobPlacement(Model):
    """Settings of one job for one publisher."""

    publisher_id: PublisherId = Field(
        alias="value",
        validation_alias=AliasChoices("value", "pValue", "publisherId"),
        description="Publisher id.",
    )
    cpc_bid_micros: Money | None = Field(
        None,
        alias="cpcBid",
        exclude_if=is_none,
        description="CPC bid of the job at this publisher.",
    )
    cpa_bid_micros: Money | None = Field(
        None,
        alias="cpaBid",
        exclude_if=is_none,
        description="CPA bid of the job at this publisher.",
    )
    active: bool = Field(
        True,
        alias="isActive",
        validation_alias=AliasChoices("isActive", "is_active"),
        description=_ACTIVE,
    )
    caps: PlacementCaps | None = Field(
        None, exclude_if=is_none, description="Budget for this publisher, not Daily."
    )
    currency: Annotated[str, InCapitals, Field(max_length=3)] = Field(
        "",
        exclude_if=not_,
        description="ISO 4217 code of the bids: the agency's or the publisher's. Default: the "
        "agency's. Budgets are in the agency's.",
    )


class NewJobPlacement(JobPlacement):
    makes = staticmethod(lambda caps=None, **rows: nouns.JobPlacement(budget=caps, **rows))
    inside: ClassVar = {"budget": "caps.budget"}
    caps: NewPlacementCaps | None = Field(None, description="Budget for this publisher, not Daily.")


def _each_once(placements: list[NewJobPlacement]) -> list[NewJobPlacement]:
    ids = [one.publisher_id for one in placements]
    faults = [Fault(f"/{n}/value", "is given twice") for n, id_ in enumerate(ids) if id_ in ids[:n]]
    if faults:
        raise Wrong(*faults)
    return placements


class _Rows(Model):
    title: Annotated[str, Field(max_length=1_000)] = Field(
        "", description="Title of the job. Without one the job is not valid."
    )
    company: Short = Field("", description="Company that offers the job.")
    description: Annotated[str, Field(max_length=200_000)] = Field(
        "", description="Description, text or HTML. Without one the job is not valid."
    )
    category: Short = Field("", description="Category, as named by the client.")
    url: Page = Field(
        "",
        description="Address of the job. Without it and alternateURL the job is not valid.",
    )
    alternate_url: Page = Field(
        "", alias="alternateURL", description="Target of clicks if there is no url."
    )
    city: Place = Field("", description="City of the workplace.")
    state: Place = Field("", description="State or region of the workplace.")
    country: Place = Field("", description="Country of the workplace.")
    zip: Zip = Field("", description="Zip code, a string or an integer. Returned as it was given.")
    published_at: When = Field(
        None,
        alias="publishedDate",
        validation_alias=AliasChoices("publishedDate", "pubDate"),
        description="When it was published: ISO 8601 or mm/dd/yyyy. Default: now. A day is its "
        "first moment, in the client's time zone, and so is a time without an offset.",
    )
    end_at: When = Field(
        None,
        alias="endAtDate",
        description="When it expires: ISO 8601 or mm/dd/yyyy. A day is its last moment, in the "
        "client's time zone. A past time is accepted.",
    )
    type: Annotated[str, Field(max_length=100)] = Field(
        "",
        alias="jobType",
        validation_alias=AliasChoices("jobType", "type"),
        description="FULL_TIME, PART_TIME, CONTRACTOR, or another word.",
    )
    additional: OwnFields = Field(
        {},
        alias="additionalFields",
        description="Your own fields, at most 50; job groups can filter by them.",
    )
    publisher_fields: PublisherFields | None = Field(
        None,
        alias="publisherFields",
        description="Allow-list of publishers, and, by publisher id, nodes that replace or extend "
        "those of the job in that publisher's feed. The link, the bids and the reference cannot "
        "be replaced.",
    )
    setting: JobSetting | None = Field(
        None,
        alias="jobSetting",
        description="Bids, markdown, caps and dates of this job alone.",
    )
    placements: Annotated[
        list[NewJobPlacement], Field(max_length=500), AfterValidator(_each_once)
    ] = Field(
        [],
        alias="placementSettings",
        description="Settings of this job for single publishers.",
    )


class NewJob(_Rows):
    ref: Annotated[
        str,
        Matching(
            r"[^\x00-\x1f\x7f]+",
            "must not contain control characters",
            most=500,
            also={"type": ["string", "integer"]},
        ),
        DIGITS,
    ] = Field(
        alias="refNumber",
        description="Reference number, unique in the client. An integer is read as its digits.",
    )


JobChange = partial(_Rows, "JobChange")
IDS: Final = Array(Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=1_000)])
