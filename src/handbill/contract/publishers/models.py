"""Publishers, as they are read and told. **Source**: domain 1.6, 6.3."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    create_model,
    model_validator,
)

from handbill.contract.envelopes import STORED, Dated, Page
from handbill.contract.publishers import vendors
from handbill.core import nouns
from handbill.core.nouns import BidType, PublisherSchema
from handbill.core.pacing.copies import ShownCopy
from handbill.dialects.outbound import HEAD_NODES, JOB_NODES
from handbill.kit.faults import Fault
from handbill.kit.instants import MINUTE
from handbill.publishers.service import ID
from handbill.wire.fields import Id, InCapitals, Instant, Matching, Money, Name, Text
from handbill.wire.models import Model, partial
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.words import AnyCase, Named
from handbill.wire.wrong import WrongBeside

_NODE_NAME: Final = r"(?![Xx][Mm][Ll])[A-Za-z_][A-Za-z0-9_.-]{0,99}"
NodeName = Annotated[str, Matching(_NODE_NAME, "must be an XML name", most=100)]
NodeKey = Annotated[NodeName, WithJsonSchema({"type": "string"})]
Node = Annotated[
    str, Matching(f"({_NODE_NAME})?", "must be an XML name, or empty", least=0, most=100)
]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NOT_BLANK)]
Currency = Annotated[
    str, Matching("[A-Z]{3}", "must be an ISO 4217 code such as USD", least=3, most=3), InCapitals
]
PlacementType = Literal["JobBoard", "DirectEmployer", "All"]


@dataclass(frozen=True, eq=False)
class Nodes:
    """A node name for each field: kept, and told, as far as they were said."""

    name: str
    fields: Iterable[str]
    others: Mapping[str, str] = field(default_factory=dict)
    """Another spelling of a field."""

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> Any:
        rows: dict[str, Any] = {name: (Node, self._row(name)) for name in self.fields}
        model = create_model(self.name, __base__=Model, __module__=__name__, **rows)
        serializer = PlainSerializer(dict, return_type=of)
        return handler.generate_schema(Annotated[model, AfterValidator(Model.given), serializer])

    def _row(self, name: str) -> Any:
        spellings = AliasChoices(name, *filter(None, [self.others.get(name)]))
        about = f"Node name of {name}; empty omits the node."
        return Field("", validation_alias=spellings, description=about)


HeaderNodes = Annotated[dict[str, str], Nodes("HeaderNodes", HEAD_NODES)]
JobNodes = Annotated[dict[str, str], Nodes("JobNodes", JOB_NODES, {"postedDate": "date"})]


class FeedSchema(Model):
    """Node names of a publisher's feed. Fields that have no name here have their default name."""

    head: HeaderNodes = Field(
        {}, alias="headerSchema", description="Node names of the feed's header, by field."
    )
    job: JobNodes = Field({}, alias="jobSchema", description="Node names of each job, by field.")
    additional: dict[NodeKey, Text] = Field(
        {},
        alias="additionalFieldsV2",
        max_length=50,
        description="Additional nodes of each job: node name to the name of a job field, or to a "
        "fixed text. `cif3`, and the node's own name, always mean a field. They cannot "
        "replace the nodes of link, bids and reference.",
    )
    copied: list[NodeName] = Field(
        [],
        alias="additionalFields",
        exclude=True,
        max_length=50,
        description="The older form: job fields that become nodes of the same name.",
    )
    cdata: list[Word] | None = Field(
        None,
        alias="fieldsWrappedInCdata",
        max_length=100,
        description="Fields or nodes whose text is wrapped in CDATA. Null: all.",
    )
    currency_in_bid: bool = Field(
        False,
        alias="includeCurrencyInBidTag",
        description="Whether bids are written with their currency: USD 1.50. Default: false.",
    )

    def noun(self) -> PublisherSchema:
        copied = {name: name for name in self.copied}
        return PublisherSchema(
            self.head, self.job, copied | self.additional, self.cdata, self.currency_in_bid
        )


class _FeedRows(Model):
    name: Id = Field("", description="Display name. Default: the id.")
    placement_alias: Name = Field(
        "", alias="placementAlias", description=f"A second display name. {STORED}"
    )
    bid_type: Annotated[BidType, Named()] = Field(
        "CPC",
        alias="bidType",
        description="Billing model of the publisher. Default: CPC.",
    )
    min_bid_micros: Money = Field(
        0,
        alias="minBid",
        description="Lowest bid that the publisher accepts. It is rounded up to the currency's "
        "smallest unit. Default: 0.",
    )
    flat_bid_micros: Money | None = Field(
        None,
        alias="flatBidValue",
        description="The bid of a FLAT_CPC publisher, in place of every other bid.",
    )
    currency: Currency = Field(
        "",
        description="ISO 4217 code of minBid, of flatBidValue, and of the prices that it is shown. "
        "Default: the agency's currency. It cannot be changed. If it is another one, there must be "
        "a rate of it, of any day (see /rates); bids are converted at the day's rate.",
    )
    url: Annotated[str, StringConstraints(max_length=2_000)] = Field(
        "", description="Address of the publisher's site."
    )
    country: Annotated[str, StringConstraints(max_length=100)] = Field(
        "", description=f"Country in which the publisher advertises. {STORED}"
    )
    industry: list[Word] = Field(
        [], max_length=50, description=f"Industries that the publisher serves. {STORED}"
    )
    placement_type: Annotated[PlacementType, AnyCase()] = Field(
        "All",
        alias="placementType",
        description="Types of clients whose jobs the publisher takes. Default: All.",
    )
    per_client: bool = Field(
        False,
        alias="perClientPlacements",
        description="Whether each client has a feed file of its own, instead of one file for all "
        "clients. Default: false.",
    )
    compressed: bool = Field(
        False,
        alias="isCompressedFeed",
        description="Whether the feed's address is that of its gzip file. Default: false.",
    )
    feed_schema: FeedSchema = Field(
        default_factory=lambda: FeedSchema.of(PublisherSchema()),
        alias="schema",
        description="Node names of the feed, where they differ from the default; an update "
        "replaces the whole.",
    )
    pay_every_apply: bool = Field(
        False,
        alias="payEveryApply",
        description="For CPA publishers: whether every apply of a click is charged. Default: "
        "false: one apply per click is charged; further applies are kept and are free.",
    )


class _Rows(vendors.VendorRows, _FeedRows):
    pass


class NewPublisher(_Rows):
    id: Annotated[
        str, Matching(ID, "must be free of spaces, dots, commas and marks of URLs", most=100)
    ] = Field(
        "",
        validation_alias=AliasChoices("id", "value"),
        description="Id of the publisher. Default: its name, with spaces and dots replaced by _.",
    )

    @model_validator(mode="after")
    def _named_somehow(self) -> Self:
        if not self.name and not self.id:
            raise WrongBeside(Fault("/name", "is required"))
        return self


PublisherChange = partial(_Rows, "PublisherChange")


class _Ids(Model):
    id: str = Field(description="The publisher's id, as used in job groups.")
    value: str = Field(description="The same id, as placements spell it.")


class _Standing(Model):
    agencies: list[str] = Field(description="Id of the agency that owns the publisher.")
    status: Literal["A", "P"] = Field(alias="activeStatus", description="A: active. P: paused.")


class Publisher(Dated, _Standing, _Rows, _Ids):
    """A publisher: where jobs are advertised."""


class PublisherPage(Page[Publisher]):
    """An agency's publishers, oldest first."""


class FetchRows(Model):
    """What the publisher has fetched of a feed, and when it is expected to fetch again."""

    fetched_at: Instant | None = Field(
        alias="lastFetchAt",
        description="When the publisher last fetched the feed, or it was delivered. Null: never. "
        "Other programs that read the feed, for example a browser, do not count. An addition to "
        "the contract.",
    )
    version: Instant | None = Field(
        alias="heldVersion",
        description="The version of the feed that the publisher has: when that was written. Null: "
        "none. An addition to the contract.",
    )
    rhythm: int = Field(
        alias="fetchRhythmMinutes",
        description="The usual time between two fetches, in minutes. 1440 until there were two "
        "fetches. An addition to the contract.",
    )
    next_at: Instant = Field(
        alias="nextFetchAt",
        description="When the next fetch is expected. An addition to the contract.",
    )
    lost: bool = Field(
        alias="notFetched",
        description="Whether there has been no fetch for three times the usual time. An addition "
        "to the contract.",
    )


def fetch_rows(held: ShownCopy) -> dict[str, Any]:
    """What ``FetchRows`` says of a copy."""
    return {
        "fetched_at": held.fetched_at or None,
        "version": held.version or None,
        "rhythm": round(held.rhythm / MINUTE),
        "next_at": held.next_at,
        "lost": held.lost,
    }


class PublisherWithFeed(FetchRows, Publisher):
    """A publisher, with the address of its feed."""

    feed_url: str | None = Field(
        alias="feedUrl", description="Address of the publisher's feed of all clients."
    )


class PublisherFeed(FetchRows):
    """The address of a publisher's feed with the jobs of one client."""

    publisher_id: str = Field(alias="publisherId", description="The publisher's id.")
    client_id: str = Field(alias="clientId", description="The client's id.")
    feed_url: str | None = Field(
        alias="feedUrl", description="Address of the publisher's feed of this client."
    )


def publisher_told(publisher: nouns.Publisher, agency_id: str) -> Publisher:
    """All but its passwords."""
    return Publisher.of(publisher.body, **_more_rows(publisher, agency_id))


def publisher_with_feed(
    publisher: nouns.Publisher, agency_id: str, feed_url: str | None, held: ShownCopy
) -> PublisherWithFeed:
    """The same, with the address of its feed, and what it has of that."""
    rows = _more_rows(publisher, agency_id) | fetch_rows(held)
    return PublisherWithFeed.of(publisher.body, **rows, feed_url=feed_url)


def _more_rows(publisher: nouns.Publisher, agency_id: str) -> dict[str, Any]:
    """Rows that are no attributes of a publisher's body."""
    body = publisher.body
    ftp = body.ftp and vendors.FtpConfig.of(
        body.ftp, account=vendors.FtpCredentials.of(body.ftp.account)
    )
    return {
        "id": publisher.id,
        "value": publisher.id,
        "feed_schema": FeedSchema.of(body.feed_schema),
        "ftp": ftp,
        "contacts": list(map(vendors.Contact.of, body.contacts)),
        "vendor_portals": list(map(vendors.Portal.of, body.vendor_portals)),
        "portal": body.portal and vendors.Portal.of(body.portal),
        "reconciliation": body.reconciliation and vendors.Reconciliation.of(body.reconciliation),
        "agencies": [agency_id],
        "status": publisher.status,
        "created_at": publisher.created_at,
        "updated_at": publisher.updated_at,
    }
