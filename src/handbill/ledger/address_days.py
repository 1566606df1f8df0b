"""How often an address clicks at a client in a day, where a click definition limits it."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant, moment_of
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among_ids
from handbill.store.records.tables import address_days

_AT_ONCE = 5_000

_ad = address_days.c
_KNOWN = sa.select(_ad.address, _ad.clicks).where(
    _ad.client_no == b("client_no"), _ad.day_on == b("day_on"), among_ids(_ad.address, "ids")
)
_OLD = (
    sa.select(_ad.client_no, _ad.day_on, _ad.address)
    .where(_ad.day_on < b("before"))
    .limit(b("most", type_=sa.Integer))
)
_FORGET = sa.delete(address_days).where(sa.tuple_(_ad.client_no, _ad.day_on, _ad.address).in_(_OLD))


class AddressDay(NamedTuple):
    """One address, as a keyed digest, at one client on one of its days."""

    client_no: int
    day_on: str
    address: bytes


def address_day(key: bytes, client_no: int, day_on: str, ip: str) -> AddressDay:
    digest = hashlib.blake2b(ip.encode("utf-8", "replace"), digest_size=16, key=key).digest()
    return AddressDay(client_no, day_on, digest)


def known(tx: Tx, keys: Iterable[AddressDay]) -> dict[AddressDay, int]:
    """How often each address has clicked at a client on a day."""
    of_day: dict[tuple[int, str], list[bytes]] = {}
    for client_no, day_on, address in sorted(keys):
        of_day.setdefault((client_no, day_on), []).append(address)
    clicked: dict[AddressDay, int] = {}
    for (client_no, day_on), addresses in of_day.items():
        for at in range(0, len(addresses), _AT_ONCE):
            ids = Listed(addresses[at : at + _AT_ONCE])
            for address, clicks in tx.all(_KNOWN, client_no=client_no, day_on=day_on, ids=ids):
                assert clicks > 0, "an address that is known has clicked"
                clicked[AddressDay(client_no, day_on, bytes(address))] = clicks
    return clicked


def add(tx: Tx, added: Iterable[tuple[AddressDay, int]]) -> None:
    tx.upsert_many(
        address_days,
        ["client_no", "day_on", "address"],
        [{**key._asdict(), "clicks": clicks} for key, clicks in sorted(added)],
        adds=["clicks"],
    )


def forget(tx: Tx, before: Instant, most: int) -> int:
    """Delete at most so many counts of days that are over in every zone; returns how many."""
    day_on = moment_of(before).date().isoformat()
    return tx.run(_FORGET, before=day_on, most=most)
