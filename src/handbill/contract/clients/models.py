"""Clients, as they are read and told. **Source**: contract 1 (2 to 10), domain 1.3, 14.3."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from handbill.contract.caps import Budget, Caps, CountCap, NewCaps
from handbill.contract.envelopes import (
    STATUS,
    STORED,
    Child,
    ChildName,
    Dated,
    Identified,
    Page,
    StartDay,
    Status,
    child_told,
    in_order,
)
from handbill.core import nouns
from handbill.kit.faults import Fault
from handbill.wire.fields import Day, Distinct, Filled, Name, Percent, Whole, Zone
from handbill.wire.models import Model, partial
from handbill.wire.words import AnyCase, Meaning
from handbill.wire.wrong import Wrong

_C = TypeVar("_C", bound="Client")
_HOURS = {"1 hour": 1, "3 hours": 3, "6 hours": 6, "12 hours": 12, "24 hours": 24}


def _country(code: str) -> str:
    if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise ValueError("must be two letters of ISO 3166")
    return code


Country = Annotated[str, StringConstraints(max_length=2), AfterValidator(_country)]
PublisherIds = Annotated[Distinct[Annotated[str, Filled(100)]], Field(max_length=1_000)]


def _body(*, exported_name: str = "", zone: str = "", **rows: Any) -> nouns.ClientBody:
    del zone  # it is the client's, not its body's
    return nouns.ClientBody(exported_name=exported_name, **rows)


class NewClient(Model):
    makes = staticmethod(_body)
    company_name: Annotated[str, Filled()] = Field(
        alias="companyName", description="Name of the client. Fixed at creation."
    )
    exported_name: Annotated[str, Filled()] = Field(
        "",
        alias="exportedName",
        description="Used in the names of publishers' files. Default: the company's name.",
    )
    start_on: StartDay = ""
    end_on: Day = Field(
        "", alias="endDate", description="Last day, mm/dd/yyyy. Default: a week after the first."
    )
    zone: Zone = Field(
        "UTC",
        alias="timeZone",
        description="Time zone in which its days are counted. Default: UTC. Fixed at creation.",
    )
    ats: Annotated[str, Filled(100)] = Field(
        "Other",
        description=f"Name of the applicant tracking system; Other if absent. {STORED}",
    )
    caps: NewCaps = Field(description="Limits on spend, clicks and applies per period.")
    start_default_campaign: bool = Field(
        False,
        alias="startDefaultCampaign",
        description="Whether the default campaign starts active. Default: false.",
    )
    client_type: Annotated[Literal["DirectEmployer", "JobBoard"], AnyCase()] = Field(
        "DirectEmployer",
        alias="clientType",
        description="Type of client. Default: DirectEmployer.",
    )
    markdown_ppm: Annotated[int, Percent()] = Field(
        0,
        alias="markdown",
        description="Percent taken off the bid that publishers see. Default: 0.",
    )
    apply_window_days: Annotated[int, Whole(1, 90)] = Field(
        30,
        alias="applyConvWindow",
        description="Days after a click within which an apply counts, 1 to 90. Default: 30.",
    )
    excluded_publishers: PublisherIds = Field(
        [],
        alias="excludedPublishers",
        description="Publishers that get none of the client's jobs.",
    )
    globally_excluded_publishers: PublisherIds = Field(
        [],
        alias="globallyExcludedPublishers",
        description="Publishers that get none of the client's jobs, as in excludedPublishers; "
        "resellers are not distinguished.",
    )
    advertiser_name: Name = Field(
        "", alias="advertiserName", description="Fills the advertiser node of outbound jobs."
    )
    ats_url: Annotated[str, StringConstraints(max_length=2_000)] = Field(
        "", alias="atsUrl", description=f"Address of the applicant tracking system. {STORED}"
    )
    country: Country = Field("", description=f"Country, two letters of ISO 3166. {STORED}")
    industry: Annotated[str, StringConstraints(max_length=100)] = Field(
        "", description=f"Industry code. {STORED}"
    )
    frequency_hours: Annotated[int, Meaning(**_HOURS)] = Field(
        24,
        alias="frequency",
        description="How often the client's feeds are fetched. Default: every 24 hours.",
    )
    enforce_minimum_markdown: bool = Field(
        False,
        alias="enforceMinimumMarkdown",
        description="Whether lower markdowns at the levels below are raised to this one.",
    )
    sj_create: bool = Field(
        False,
        alias="sjCreate",
        description=f"Whether its jobs are added individually, without a feed. {STORED}",
    )

    _in_order = in_order


class ClientChange(partial(NewClient, "ClientRowsChange")):  # type: ignore[misc]
    """Changes of a client; the caps may stand at the top level too."""

    budget: Budget | None = Field(None, description="The new budget cap; it cannot be removed.")
    clicks: CountCap | None = Field(None, description="The new cap of clicks. Null removes it.")
    applies: CountCap | None = Field(None, description="The new cap of applies. Null removes it.")

    @model_validator(mode="after")
    def _budgeted(self) -> Self:
        if "budget" in self.model_fields_set and self.budget is None:
            raise Wrong(Fault("/budget", "cannot be cleared"))
        return self

    def given(self) -> dict[str, Any]:
        """Caps of the top level go before those of ``caps``."""
        changes: dict[str, Any] = super().given()
        loose = {name: changes.pop(name) for name in Caps.names if name in changes}
        if loose and changes.get("caps", {}) is not None:
            changes["caps"] = changes.get("caps", {}) | loose
        return changes


class _Children(Model):
    children: dict[str, Child] = Field(description="The client's campaigns, by id.")


class _Standing(Model):
    pixel_id: str = Field(alias="pixelId", description="The id that its pixels send.")
    status: Status = Field(alias="activeStatus", description=STATUS)


class Client(Dated, _Standing, NewClient, _Children, Identified):
    """A client: an employer or job board that the agency works for."""

    caps: Caps = Field(  # type: ignore[assignment]
        description="Limits on spend, clicks and applies per period."
    )


class ClientRow(Client):
    children: dict[str, ChildName] = Field(description="The client's campaigns, by id.")  # type: ignore[assignment]


class ClientPage(Page[ClientRow]):
    """An agency's clients, oldest first."""


class ClientStatus(Model):
    """Whether a client is active."""

    result: Status = Field(description=STATUS)
    message: str = Field(description="Confirmation.")


def client_told(client: nouns.Client, campaigns: Iterable[nouns.Campaign]) -> Client:
    children = {one.id: child_told(one) for one in campaigns}
    return _client_of(Client, client, children)


def row_told(client: nouns.Client, campaigns: Iterable[nouns.Campaign]) -> ClientRow:
    children = {one.id: ChildName.of(one, name=one.body.name) for one in campaigns}
    return _client_of(ClientRow, client, children)


def _client_of(kind: type[_C], client: nouns.Client, children: Mapping[str, ChildName]) -> _C:
    return kind.of(
        client.body,
        id=client.id,
        children=children,
        zone=client.zone,
        pixel_id=client.pixel_id,
        status=client.status,
        created_at=client.created_at,
        updated_at=client.updated_at,
    )
