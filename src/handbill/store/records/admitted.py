"""The tables of agencies and publisher families, and of their credentials."""

import sqlalchemy as sa

from handbill.store.records.columns import metadata
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import to as _to
from handbill.store.records.columns import whole as _whole

agencies = sa.Table(
    "agencies",
    metadata,
    _no(),
    _text("id"),
    _text("name"),
    _text("currency"),
    _whole("created_at"),
    sa.UniqueConstraint("id"),
)
# agency_no: the agency that manages it; NULL: only the operator does, and it may span agencies.
publisher_families = sa.Table(
    "publisher_families",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies", null=True),
    _text("name"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("publisher_families_by_agency", "agency_no", "no"),
)
# An owner is an agency or a publisher family ("partner"); keys and API clients belong to one owner.
api_keys = sa.Table(
    "api_keys",
    metadata,
    _no(),
    _text("prefix"),
    _bytes("digest"),
    _text("role"),
    _whole("owner_no"),
    _whole("created_at"),
    _whole("expires_at", null=True),
    _whole("revoked_at", null=True),
    sa.UniqueConstraint("prefix"),
)
api_clients = sa.Table(
    "api_clients",
    metadata,
    _no(),
    _text("id"),
    _text("role"),
    _whole("owner_no"),
    _text("scope"),
    _whole("created_at"),
    _whole("revoked_at", null=True),
    sa.UniqueConstraint("id"),
)
