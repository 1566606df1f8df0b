"""Rows of agencies, publisher families, API keys and API clients."""

from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.nouns import Family
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import (
    agencies,
    api_clients,
    api_keys,
    family_publishers,
    publisher_families,
    publishers,
)


class Owner(NamedTuple):
    """The owner of keys and API clients: an agency, or the publisher family of a partner.

    ``role``: agency or partner; ``no``: its row number.
    """

    role: str
    no: int


class Agency(msgspec.Struct, frozen=True):
    no: int
    id: str
    name: str
    currency: str
    created_at: Instant


class Key(msgspec.Struct, frozen=True):
    """An API key without its secret. ``digest``: kid of the digest key, then the keyed digest."""

    no: int
    prefix: str
    digest: bytes
    role: Literal["agency", "partner"]
    owner_no: int
    owner_id: str
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None


class ApiClient(msgspec.Struct, frozen=True):
    no: int
    id: str
    role: str
    owner_no: int
    scope: str
    created_at: Instant
    revoked_at: Instant | None


_a, _k, _c, _f = agencies.c, api_keys.c, api_clients.c, publisher_families.c
_AGENCY = (_a.no, _a.id, _a.name, _a.currency, _a.created_at)
_AGENCY_BY_ID = sa.select(*_AGENCY).where(_a.id == b("id"))
_AGENCY_BY_NO = sa.select(*_AGENCY).where(_a.no == b("no"))
_AGENCIES = sa.select(*_AGENCY).order_by(_a.no)
_FAMILIES = sa.select(_f.no, _f.id, _f.agency_no, _f.name, _f.created_at, _f.updated_at).where(
    _f.deleted_at.is_(None)
)
_FAMILY_BY_ID = _FAMILIES.where(_f.id == b("id"))
_EVERY_FAMILY = _FAMILIES.order_by(_f.no)
_PAGE_OF_FAMILIES = (
    _FAMILIES.where(_f.agency_no == b("agency_no"))
    .order_by(_f.no)
    .limit(b("limit", type_=sa.Integer))
    .offset(b("skip", type_=sa.Integer))
)
_COUNT_OF_FAMILIES = (
    sa.select(sa.func.count())
    .select_from(publisher_families)
    .where(_f.agency_no == b("agency_no"), _f.deleted_at.is_(None))
)
_LEAVE = sa.delete(family_publishers).where(family_publishers.c.family_no == b("family_no"))
_MEMBERS = (
    sa.select(family_publishers.c.publisher_no)
    .where(family_publishers.c.family_no == b("family_no"))
    .order_by(family_publishers.c.publisher_no)
)
_MINDED_BY = sa.select(_f.agency_no).where(_f.no == b("no"))
_MEMBER_IDS = (
    sa.select(publishers.c.id)
    .join(family_publishers, family_publishers.c.publisher_no == publishers.c.no)
    .where(family_publishers.c.family_no == b("family_no"))
    .distinct()
    .order_by(publishers.c.id)
)
_IS_AGENCY: sa.ColumnElement[str] = sa.literal_column("'agency'")
_OWNER_ID = sa.case(
    (_k.role == _IS_AGENCY, sa.select(_a.id).where(_a.no == _k.owner_no).scalar_subquery()),
    else_=sa.select(_f.id).where(_f.no == _k.owner_no).scalar_subquery(),
)
_KEYS = sa.select(
    _k.no,
    _k.prefix,
    _k.digest,
    _k.role,
    _k.owner_no,
    _OWNER_ID,
    _k.created_at,
    _k.expires_at,
    _k.revoked_at,
)
_KEY_BY_PREFIX = _KEYS.where(_k.prefix == b("prefix"))
_KEYS_OF_OWNER = _KEYS.where(_k.role == b("role"), _k.owner_no == b("owner_no")).order_by(_k.no)
_CLIENTS = sa.select(_c.no, _c.id, _c.role, _c.owner_no, _c.scope, _c.created_at, _c.revoked_at)
_CLIENT_BY_ID = _CLIENTS.where(_c.id == b("id"))
_CLIENTS_OF_OWNER = _CLIENTS.where(_c.role == b("role"), _c.owner_no == b("owner_no")).order_by(
    _c.no
)


def _agency(row: tuple[Any, ...] | None) -> Agency | None:
    return Agency(*row) if row else None


def agency(tx: Tx, agency_id: str) -> Agency | None:
    return _agency(tx.one(_AGENCY_BY_ID, id=agency_id))


def agency_by_number(tx: Tx, no: int) -> Agency | None:
    return _agency(tx.one(_AGENCY_BY_NO, no=no))


def agencies_of_all(tx: Tx) -> list[Agency]:
    return [Agency(*row) for row in tx.all(_AGENCIES)]


def rename_agency(tx: Tx, no: int, name: str) -> None:
    tx.change(agencies, {"no": no}, name=name)


def add_agency(tx: Tx, agency_id: str, name: str, currency: str, now: Instant) -> int:
    return tx.put(agencies, id=agency_id, name=name, currency=currency, created_at=now)


def agency_behind(tx: Tx, role: str, owner_no: int) -> int | None:
    """The agency that is an owner of keys, or manages it; None: only the operator manages it."""
    agency_no: int | None = owner_no if role == "agency" else tx.value(_MINDED_BY, no=owner_no)
    return agency_no


def family(tx: Tx, family_id: str) -> Family | None:
    """The live family with that id."""
    row = tx.one(_FAMILY_BY_ID, id=family_id)
    return Family(*row) if row else None


def every_family(tx: Tx) -> list[Family]:
    return [Family(*row) for row in tx.all(_EVERY_FAMILY)]


def families_of(tx: Tx, agency_no: int, skip: int, limit: int) -> list[Family]:
    rows = tx.all(_PAGE_OF_FAMILIES, agency_no=agency_no, skip=skip, limit=limit)
    return [Family(*row) for row in rows]


def count_families(tx: Tx, agency_no: int) -> int:
    return int(tx.value(_COUNT_OF_FAMILIES, agency_no=agency_no))


def family_members(tx: Tx, no: int) -> list[int]:
    """The row numbers of the family's publishers."""
    return [publisher_no for (publisher_no,) in tx.all(_MEMBERS, family_no=no)]


def member_ids(tx: Tx, no: int) -> list[str]:
    """The ids of the family's publishers, which its changes contain."""
    return [publisher_id for (publisher_id,) in tx.all(_MEMBER_IDS, family_no=no)]


def add_family(
    tx: Tx, family_id: str, name: str, agency_no: int | None, publisher_nos: list[int], now: Instant
) -> int:
    no = tx.put(
        publisher_families,
        id=family_id,
        agency_no=agency_no,
        name=name,
        created_at=now,
        updated_at=now,
    )
    set_members(tx, no, publisher_nos)
    return no


def set_members(tx: Tx, no: int, publisher_nos: list[int]) -> None:
    tx.run(_LEAVE, family_no=no)
    tx.put_many(family_publishers, [{"family_no": no, "publisher_no": p} for p in publisher_nos])


def change_family(tx: Tx, no: int, **columns: str | Instant) -> None:
    tx.change(publisher_families, {"no": no}, **columns)


def _key(row: tuple[Any, ...]) -> Key:
    no, prefix, digest, *rest = row
    return Key(no, prefix, bytes(digest), *rest)


def key(tx: Tx, prefix: str) -> Key | None:
    row = tx.one(_KEY_BY_PREFIX, prefix=prefix)
    return _key(row) if row else None


def keys_of(tx: Tx, owner: Owner) -> list[Key]:
    return [_key(row) for row in tx.all(_KEYS_OF_OWNER, role=owner.role, owner_no=owner.no)]


def add_key(tx: Tx, prefix: str, digest: bytes, owner: Owner, now: Instant) -> None:
    tx.put(
        api_keys,
        prefix=prefix,
        digest=digest,
        role=owner.role,
        owner_no=owner.no,
        created_at=now,
        expires_at=None,
        revoked_at=None,
    )


def change_key(tx: Tx, no: int, **columns: Instant) -> None:
    """Set expires_at or revoked_at."""
    tx.change(api_keys, {"no": no}, **columns)


def api_client(tx: Tx, api_client_id: str) -> ApiClient | None:
    row = tx.one(_CLIENT_BY_ID, id=api_client_id)
    return ApiClient(*row) if row else None


def api_clients_of(tx: Tx, owner: Owner) -> list[ApiClient]:
    rows = tx.all(_CLIENTS_OF_OWNER, role=owner.role, owner_no=owner.no)
    return [ApiClient(*row) for row in rows]


def add_api_client(tx: Tx, api_client_id: str, owner: Owner, scope: str, now: Instant) -> None:
    tx.put(
        api_clients,
        id=api_client_id,
        role=owner.role,
        owner_no=owner.no,
        scope=scope,
        created_at=now,
        revoked_at=None,
    )


def revoke_api_client(tx: Tx, no: int, now: Instant) -> None:
    tx.change(api_clients, {"no": no}, revoked_at=now)
