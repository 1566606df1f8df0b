"""Tables of those who trade: publishers, clients, their campaigns, job groups and markups."""

import sqlalchemy as sa

from handbill.store.records.columns import flag as _flag
from handbill.store.records.columns import metadata
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import to as _to
from handbill.store.records.columns import whole as _whole

publishers = sa.Table(
    "publishers",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies"),
    _text("status"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("agency_no", "id"),
)
# client_no 0: for every client. bot_ips: networks, one per line, read at ips_read_at from the
# address in the body; ips_failure: why the last reading failed.
click_definitions = sa.Table(
    "click_definitions",
    metadata,
    _no(),
    _to("publisher_no", "publishers"),
    _whole("client_no"),
    _text("body"),
    _text("bot_ips", null=True),
    _whole("ips_read_at", null=True),
    _text("ips_failure", null=True),
    _whole("created_at"),
    _whole("updated_at"),
    sa.UniqueConstraint("publisher_no", "client_no"),
)
family_publishers = sa.Table(
    "family_publishers",
    metadata,
    _no(),
    _to("family_no", "publisher_families"),
    _to("publisher_no", "publishers"),
    sa.UniqueConstraint("family_no", "publisher_no"),
)
clients = sa.Table(
    "clients",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies"),
    _text("status"),
    _text("zone"),
    _text("pixel_id"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("pixel_id"),
    sa.Index("clients_by_agency", "agency_no", "no"),
)
# The names of a client's own job fields and their fixed places cif1..cifN (domain 14.6).
custom_fields = sa.Table(
    "custom_fields",
    metadata,
    _no(),
    _to("client_no", "clients"),
    _text("name"),
    _whole("place"),
    sa.UniqueConstraint("client_no", "name"),
    sa.UniqueConstraint("client_no", "place"),
)
campaigns = sa.Table(
    "campaigns",
    metadata,
    _no(),
    _text("id"),
    _to("client_no", "clients"),
    _text("status"),
    _flag("is_default"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("campaigns_by_client", "client_no", "no"),
)
groups = sa.Table(
    "groups",
    metadata,
    _no(),
    _text("id"),
    _to("client_no", "clients"),
    _to("campaign_no", "campaigns"),
    _text("status"),
    _flag("is_default"),
    _whole("priority"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("groups_by_client", "client_no", "no"),
    sa.Index("groups_by_campaign", "campaign_no", "no"),
)
# An agency's markups on its customers' spend, from an instant on; a number of 0 means all.
markups = sa.Table(
    "markups",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies"),
    _text("name"),
    _whole("from_at"),
    _whole("ppm"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("markups_by_agency", "agency_no", "no"),
)
markup_entities = sa.Table(
    "markup_entities",
    metadata,
    _no(),
    _to("markup_no", "markups"),
    _to("client_no", "clients"),
    _whole("campaign_no"),
    _whole("group_no"),
    _whole("publisher_no"),
    sa.Index("markup_entities_by_markup", "markup_no"),
    sa.Index("markup_entities_by_client", "client_no", "markup_no"),
)
