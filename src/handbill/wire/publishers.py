"""Publishers on the wire. **Source**: domain 1.6, 6.3."""

from dataclasses import dataclass
from typing import Any

from handbill.core.nouns import BID_TYPES, Publisher, PublisherSchema
from handbill.kit.faults import Fault
from handbill.kit.instants import iso_of
from handbill.kit.money import number_of
from handbill.wire import vendors
from handbill.wire.shapes import (
    Choice,
    Faults,
    Field,
    Flag,
    ListOf,
    MapOf,
    Money,
    Object,
    Schema,
    Shape,
    Text,
)
from handbill.wire.spelling import (
    FLAG,
    INSTANT,
    NUMBER,
    STATUS,
    TEXT,
    described,
    listed,
    mapped,
    nullable,
    whole,
)
from handbill.wire.vendor_schema import VENDOR

ID = r"[^\s\x00-\x1f\x7f/\\,.?#%\"<>]{1,100}"
_NODE_NAME = r"(?![Xx][Mm][Ll])[A-Za-z_][A-Za-z0-9_.-]{0,99}"
_NODE = Text(most=100, pattern=f"({_NODE_NAME})?", says="must be an XML name, or empty")
_HEAD_KEYS = ("source", "publisherName", "publisherUrl", "jobCount", "generationTime")
_JOB_KEYS = (
    "job", "advertiser", "country", "postedDate", "city", "refNumber", "description", "title",
    "type", "url", "cpa", "cpc", "zip", "category", "state", "company", "modifiedDate",
    "publishedDate",
)  # fmt: skip
_ALIASES = {"postedDate": ("date",)}


@dataclass(frozen=True)
class BidTypeName(Shape):
    """``"CPC"`` or ``{"name": "CPC"}``."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, dict):
            value, at = value.get("name"), f"{at}/name"
        return Choice(BID_TYPES).read(value, at, faults)

    def schema(self) -> Schema:
        word = Choice(BID_TYPES).schema() | {"description": "What it is paid for, in any case."}
        return {"oneOf": [word, whole({"name": word})]}


def _feed_schema(found: dict[str, Any]) -> PublisherSchema:
    cdata = found.get("fieldsWrappedInCdata")
    plain = {name: name for name in found.get("additionalFields") or ()}
    return PublisherSchema(
        head=_named(found.get("headerSchema")),
        job=_named(found.get("jobSchema")),
        additional=plain | (found.get("additionalFieldsV2") or {}),
        cdata=None if cdata is None else tuple(cdata),
        currency_in_bid=bool(found.get("includeCurrencyInBidTag")),
    )


def _named(found: dict[str, str | None] | None) -> dict[str, str]:
    return {key: node for key, node in (found or {}).items() if node is not None}


def _nodes(keys: tuple[str, ...], about: str) -> Object:
    return Object(
        {key: Field(_NODE, about.format(key), aliases=_ALIASES.get(key, ())) for key in keys}
    )


FEED_SCHEMA = Object(
    {
        "headerSchema": Field(
            _nodes(_HEAD_KEYS, "Node name of {}; empty leaves it out."),
            "Node names of the head of the feed.",
        ),
        "jobSchema": Field(
            _nodes(_JOB_KEYS, "Node name of {}; empty leaves it out."),
            "Node names of each job.",
        ),
        "additionalFieldsV2": Field(
            MapOf(Text(most=1_000), 50, _NODE_NAME),
            "Further nodes of each job: node name to a job field's name, or to a fixed text; never "
            "the nodes of the link, the bids and the reference.",
        ),
        "additionalFields": Field(
            ListOf(Text(1, 100, _NODE_NAME, "must be an XML name"), most=50),
            "The older way to say it: job fields that become nodes of the same name.",
        ),
        "fieldsWrappedInCdata": Field(
            ListOf(Text(1, 100), most=100),
            "Fields, or nodes of any kind, whose text is wrapped in CDATA; all if absent.",
        ),
        "includeCurrencyInBidTag": Field(Flag(), "Write USD 1.50, not 1.50; false if absent."),
    },
    make=_feed_schema,
)
_FIELDS = {
    "name": Field(Text(1, 200), "Display name; the id if absent."),
    "bidType": Field(
        BidTypeName(), "What it is paid for: CPC, CPA, FLAT_CPC, Organic or PPP; CPC if absent."
    ),
    "minBid": Field(Money(), "Least bid that it takes; 0 if absent."),
    "flatBidValue": Field(Money(), "The bid of a FLAT_CPC publisher, in place of every other."),
    "currency": Field(
        Text(3, 3, r"[A-Z]{3}", "must be an ISO 4217 code such as USD"),
        "ISO 4217 code; the agency's currency if absent, and no other: nothing is converted.",
    ),
    "url": Field(Text(most=2_000), "Address of its site."),
    "country": Field(Text(most=100), "Country in which it advertises. Kept; nothing acts on it."),
    "industry": Field(
        ListOf(Text(1, 100), most=50), "Industries that it serves. Kept; nothing acts on it."
    ),
    "placementType": Field(
        Choice(("JobBoard", "DirectEmployer", "All")), "Client types that it takes; All if absent."
    ),
    "placementAlias": Field(Text(most=200), "A second display name. Kept; nothing acts on it."),
    "perClientPlacements": Field(
        Flag(), "One feed file per client rather than one of all clients; false if absent."
    ),
    "isCompressedFeed": Field(Flag(), "The feed's address is that of its gzip file."),
    "schema": Field(FEED_SCHEMA, "Node names of its feed, where they differ from the default."),
    "payEveryApply": Field(
        Flag(),
        "CPA: whether further applies of one click are charged too. If absent or false, one apply "
        "a click is charged, and further ones are kept and free.",
    ),
    **vendors.FIELDS,
}


def _named_somehow(found: dict[str, Any], at: str, faults: Faults) -> None:
    if found.get("name") is None and found.get("id") is None:
        faults.append(Fault(f"{at}/name", "is required"))


_ID_FIELD = Field(
    Text(1, 100, ID, "must be free of spaces, dots, commas and marks of URLs"),
    "Its id; if absent, the name with spaces and dots turned into _.",
    aliases=("value",),
)
CREATE = Object({"id": _ID_FIELD} | _FIELDS, check=_named_somehow)
UPDATE = Object(_FIELDS)
NAMES = {
    "name": "name", "bidType": "bid_type", "minBid": "min_bid_micros",
    "flatBidValue": "flat_bid_micros", "currency": "currency", "url": "url", "country": "country",
    "industry": "industry", "placementType": "placement_type", "placementAlias": "placement_alias",
    "perClientPlacements": "per_client", "isCompressedFeed": "compressed", "schema": "schema",
    "payEveryApply": "pay_every_apply", **vendors.NAMES,
}  # fmt: skip


def id_of_name(name: str) -> str:
    """The id of a publisher that was given none (domain 1.6)."""
    return name.strip().replace(" ", "_").replace(".", "_")


def spell_publisher(publisher: Publisher, agency_id: str) -> dict[str, Any]:
    """A publisher as its agency is answered: with everything but passwords."""
    body = publisher.body
    flat = body.flat_bid_micros
    return {
        "id": publisher.id,
        "value": publisher.id,
        "name": body.name,
        "placementAlias": body.placement_alias,
        "bidType": {"name": body.bid_type},
        "minBid": number_of(body.min_bid_micros),
        "flatBidValue": None if flat is None else number_of(flat),
        "currency": body.currency,
        "url": body.url,
        "country": body.country,
        "industry": body.industry,
        "placementType": body.placement_type,
        "perClientPlacements": body.per_client,
        "isCompressedFeed": body.compressed,
        "schema": _spell_schema(body.schema),
        "payEveryApply": body.pay_every_apply,
        **vendors.spell(body),
        "agencies": [agency_id],
        "activeStatus": publisher.status,
        "createdOn": iso_of(publisher.created_at),
        "lastUpdated": iso_of(publisher.updated_at),
    }


def _spell_schema(schema: PublisherSchema) -> dict[str, Any]:
    return {
        "headerSchema": schema.head,
        "jobSchema": schema.job,
        "additionalFieldsV2": schema.additional,
        "fieldsWrappedInCdata": None if schema.cdata is None else list(schema.cdata),
        "includeCurrencyInBidTag": schema.currency_in_bid,
    }


_NODES = described(mapped(TEXT), "Node names by field; fields that are not there have the default.")
PUBLISHER: Schema = whole(
    {
        "id": described(TEXT, "Its id, by which job groups name it."),
        "value": described(TEXT, "The id again, as placements spell it."),
        "name": described(TEXT, "Display name."),
        "placementAlias": described(TEXT, "A second display name. Kept; nothing acts on it."),
        "bidType": described(
            whole({"name": described({"enum": list(BID_TYPES)}, "What it is paid for.")}),
            "What it is paid for.",
        ),
        "minBid": described(NUMBER, "Least bid that it takes."),
        "flatBidValue": described(nullable(NUMBER), "The bid of a FLAT_CPC publisher."),
        "currency": described(TEXT, "ISO 4217 code."),
        "url": described(TEXT, "Address of its site."),
        "country": described(TEXT, "Country in which it advertises. Kept; nothing acts on it."),
        "industry": described(listed(TEXT), "Industries that it serves. Kept; nothing acts on it."),
        "placementType": described(TEXT, "Client types that it takes."),
        "perClientPlacements": described(FLAG, "Whether each client has a feed file of its own."),
        "isCompressedFeed": described(FLAG, "Whether its feed's address is that of a gzip file."),
        "schema": described(
            whole(
                {
                    "headerSchema": _NODES,
                    "jobSchema": _NODES,
                    "additionalFieldsV2": described(
                        mapped(TEXT), "Further nodes: a job field's name, or a fixed text."
                    ),
                    "fieldsWrappedInCdata": described(
                        nullable(listed(TEXT)), "Nodes wrapped in CDATA; null: all."
                    ),
                    "includeCurrencyInBidTag": described(FLAG, "USD 1.50 rather than 1.50."),
                }
            ),
            "Node names of its feed.",
        ),
        "payEveryApply": described(FLAG, "Whether further applies of one click are charged too."),
        **VENDOR,
        "agencies": described(listed(TEXT), "The agency whose publisher this is: the caller's."),
        "activeStatus": described(STATUS, "A active, P paused."),
        "createdOn": described(INSTANT, "When it was created."),
        "lastUpdated": described(INSTANT, "When it was last changed."),
        "feedUrl": described(TEXT, "Address of its feed of all clients."),
    },
    optional=("feedUrl",),
)
