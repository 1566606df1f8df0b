"""The nouns of the trade as plain values, in our own units. See GLOSSARY.md for each word.

Units: ``_micros`` money in millionths; ``_ppm`` a share in parts per million (80 % is 800,000);
``_on`` a day as ISO text in the client's zone; ``_at`` an instant; ``no`` our own row number.
A noun's fields that are stored as JSON are exactly the fields of the struct. Jobs come in thousands
and are hidden from the collector of cycles: a noun holds values, and never a cycle.
"""

from typing import Any, Literal, NamedTuple

import msgspec

from handbill.core.currencies import unit_micros
from handbill.core.vendors import Contact, FtpConfig, Portal, Reconciliation
from handbill.kit.instants import Instant
from handbill.kit.money import raised_to
from handbill.kit.zones import Period

BidType = Literal["CPC", "CPA", "FLAT_CPC", "Organic", "PPP"]
BID_TYPES: tuple[BidType, ...] = ("CPC", "CPA", "FLAT_CPC", "Organic", "PPP")


class Cap(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit per period. ``value`` is micros for a budget, a count for clicks and applies."""

    period: Period
    value: int
    pacing: bool = False
    threshold_ppm: int = 800_000
    locked: bool = False


class Caps(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The job_ caps apply to each single job of a job group (domain 2.2)."""

    budget: Cap | None = None
    clicks: Cap | None = None
    applies: Cap | None = None
    job_budget: Cap | None = None
    job_clicks: Cap | None = None
    job_applies: Cap | None = None


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """settingsOverride of a campaign or job group; None: as its parent."""

    markdown_ppm: int | None = None
    markup_ppm: int | None = None
    apply_window_days: int | None = None


class ClientBody(msgspec.Struct, omit_defaults=True, kw_only=True):
    company_name: str
    exported_name: str
    advertiser_name: str = ""
    client_type: str = "DirectEmployer"
    apply_window_days: int = 30
    start_on: str = ""
    end_on: str = ""
    caps: Caps = Caps()
    ats: str = "Other"
    ats_url: str = ""
    country: str = ""
    industry: str = ""
    frequency_hours: int = 24
    markdown_ppm: int = 0
    enforce_minimum_markdown: bool = False
    excluded_publishers: list[str] = []
    globally_excluded_publishers: list[str] = []
    start_default_campaign: bool = False
    sj_create: bool = False
    control: Literal["OFF", "ADVISE", "ACT"] = "ADVISE"
    """What its rules do when they run: nothing, only report what they would do, or do it."""


class Client(msgspec.Struct, kw_only=True):
    no: int
    id: str
    agency_no: int
    status: str
    zone: str
    pixel_id: str
    body: ClientBody
    created_at: Instant
    updated_at: Instant


class CampaignBody(msgspec.Struct, omit_defaults=True):
    name: str
    start_on: str = ""
    end_on: str = ""
    caps: Caps = Caps()
    override: Override = Override()
    placement_caps: dict[str, Cap] = {}


class Campaign(msgspec.Struct, kw_only=True):
    no: int
    id: str
    client_no: int
    status: str
    is_default: bool
    body: CampaignBody
    created_at: Instant
    updated_at: Instant


class Leaf(msgspec.Struct, frozen=True, tag="leaf", tag_field="t"):
    """One comparison. ``terms`` is the checked data: text, ISO day, or decimal as text."""

    field: str
    operator: str
    terms: tuple[str, ...]


class Branch(msgspec.Struct, frozen=True, tag="branch", tag_field="t"):
    """``all_of``: every rule must hold; else any of them."""

    all_of: bool
    rules: "tuple[Branch | Leaf, ...]"


class Placement(msgspec.Struct, frozen=True, omit_defaults=True):
    """A publisher inside a job group."""

    publisher_id: str
    bid_micros: int | None = None
    active: bool = True
    budget: Cap | None = None
    currency: str = ""
    """Of the bid: the publisher's or the agency's; empty: the agency's, which its budget has."""


class PerformanceTarget(msgspec.Struct, frozen=True):
    type: str
    value_micros: int


class InsertionOrder(msgspec.Struct, frozen=True):
    number: str
    value: int
    start_on: str
    end_on: str


class GroupBody(msgspec.Struct, omit_defaults=True):
    name: str
    start_on: str = ""
    end_on: str = ""
    cpc_bid_micros: int = 0
    cpa_bid_micros: int = 0
    filters: Branch | None = None
    caps: Caps = Caps()
    placements: list[Placement] = []
    former_placements: list[Placement] = []
    """Removed by an update: their links are still in use, charged within their budgets."""
    override: Override = Override()
    performance_targets: list[PerformanceTarget] = []
    insertion_orders: list[InsertionOrder] = []
    categories: list[str] = []
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    ad_words: dict[str, Any] = {}
    iid: int = 0
    delivery: Literal["EVEN", "ASAP"] | None = None
    """The delivery of its budgets; None: by their periods."""

    @property
    def all_placements(self) -> list[Placement]:
        """Current and former placements: one for each publisher that was ever placed."""
        return [*self.placements, *self.former_placements]


class Group(msgspec.Struct, kw_only=True):
    no: int
    id: str
    client_no: int
    campaign_no: int
    status: str
    is_default: bool
    priority: int
    body: GroupBody
    created_at: Instant
    updated_at: Instant


class PublisherSchema(msgspec.Struct, frozen=True, omit_defaults=True):
    """Node names of a publisher's outbound feed, by our field; an empty name omits the node.

    **Source**: domain 6.3. Fields absent from the maps keep the default names of domain 6.4.
    """

    head: dict[str, str] = {}
    job: dict[str, str] = {}
    additional: dict[str, str] = {}
    cdata: list[str] | None = None
    currency_in_bid: bool = False


class PublisherBody(msgspec.Struct, omit_defaults=True, kw_only=True):
    name: str
    bid_type: BidType = "CPC"
    min_bid_micros: int = 0
    flat_bid_micros: int | None = None
    currency: str = "USD"
    url: str = ""
    country: str = ""
    industry: list[str] = []
    placement_type: str = "All"
    placement_alias: str = ""
    per_client: bool = False
    compressed: bool = False
    feed_schema: PublisherSchema = PublisherSchema()
    feed_index_latency_minutes: int = 0
    """How long the publisher takes to show a feed that it has fetched."""
    delivered_by_ftp: bool = False
    ftp: FtpConfig | None = None
    contacts: list[Contact] = []
    vendor_portals: list[Portal] = []
    portal: Portal | None = None
    reconciliation: Reconciliation | None = None
    pay_every_apply: bool = False
    """CPA: whether further applies of one click are charged too."""
    rest: dict[str, Any] = {}

    @property
    def least_bid_micros(self) -> int:
        """The minimum bid, raised to an amount that an invoice in its currency can state."""
        return raised_to(self.min_bid_micros, unit_micros(self.currency))


class Publisher(msgspec.Struct, kw_only=True):
    no: int
    id: str
    agency_no: int
    status: str
    body: PublisherBody
    created_at: Instant
    updated_at: Instant


class Family(msgspec.Struct, frozen=True):
    """A publisher family. ``agency_no`` None: only the operator manages it."""

    no: int
    id: str
    agency_no: int | None
    name: str
    created_at: Instant
    updated_at: Instant


class JobSetting(msgspec.Struct, frozen=True, omit_defaults=True):
    cpc_bid_micros: int | None = None
    cpa_bid_micros: int | None = None
    markdown_ppm: int | None = None
    caps: Caps = Caps()
    start_on: str | None = None
    end_on: str | None = None


class JobPlacement(msgspec.Struct, frozen=True, omit_defaults=True):
    publisher_id: str
    cpc_bid_micros: int | None = None
    cpa_bid_micros: int | None = None
    active: bool = True
    budget: Cap | None = None
    currency: str = ""


class PublisherFields(NamedTuple):
    """Which publishers may carry a job, None: all; and publisher id → node → value in its feed.
    ``of_feed``: set by a feed.
    """

    publishers: tuple[str, ...] | None
    nodes: dict[str, dict[str, str]]
    of_feed: bool = False


class JobSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """The settings of one job: bids, allow-list of publishers, placements.

    Stored as JSON in ``jobs.settings``; NULL there means all defaults.
    """

    setting: JobSetting = JobSetting()
    placements: tuple[JobPlacement, ...] = ()
    publishers: tuple[str, ...] | None = None
    publishers_of_feed: bool = False
    """Whether a feed set them: then they end when it no longer mentions publishers."""


class JobBody(msgspec.Struct, omit_defaults=True, gc=False, kw_only=True):
    """Everything a job says. Instants are None where the source gave none.

    ``zip`` is kept as given (text or integer). ``additional`` are the client's own fields by
    name. ``publisher_nodes``: publisher id → node → value, written into that publisher's feed.
    """

    ref: str
    title: str = ""
    company: str = ""
    description: str = ""
    category: str = ""
    url: str = ""
    alternate_url: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    zip: str | int = ""
    type: str = ""
    published_at: Instant | None = None
    posted_at: Instant | None = None
    modified_at: Instant | None = None
    end_at: Instant | None = None
    cpc_micros: int | None = None
    cpc_currency: str = ""
    """Of the bid, as its feed says; empty: the agency's."""
    additional: dict[str, str] = {}
    publisher_nodes: dict[str, dict[str, str]] = {}
    several: dict[str, tuple[str, ...]] = {}
    """Of ``category``, ``type`` and own fields that were said several times, each of the values."""
    settings: JobSettings | None = None
    missing: tuple[str, ...] = ()
    """Mandatory fields that the source left empty; if there are any, the job is invalid."""


class Job(msgspec.Struct, kw_only=True, gc=False):
    """``feed_no`` None: added by API. ``left_at`` set: no longer in any feed, or deleted."""

    no: int
    id: str
    client_no: int
    feed_no: int | None
    status: str
    valid: bool
    body: JobBody
    created_at: Instant
    updated_at: Instant
    left_at: Instant | None = None

    def expired(self, now: Instant) -> bool:
        """Whether its end has come."""
        return self.body.end_at is not None and self.body.end_at <= now
