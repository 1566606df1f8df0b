"""Rows of table click_definitions, to nouns and back."""

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.click_definitions import ClickDefinition, DefinitionBody
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import click_definitions

EVERY_CLIENT = 0


_t = click_definitions.c
_DEFINITIONS = Mapper(click_definitions, ClickDefinition)
_ONE = _DEFINITIONS.ever("publisher_no", "client_no")
_BY_NO = _DEFINITIONS.ever("no")
_OF_PUBLISHERS = _DEFINITIONS.ever(among(_t.publisher_no, "publishers"))
_OF_ONE = _DEFINITIONS.ever("publisher_no", order=_t.client_no)
_LIST = sa.select(_t.bot_ips).where(_t.no == b("no"))
_DELETE = sa.delete(click_definitions).where(_t.no == b("no"))
_CLEAR = sa.delete(click_definitions).where(
    _t.publisher_no == b("publisher_no"), _t.client_no == b("client_no")
)
_LISTED = sa.select(_t.no).where(_t.ips_read_at.is_(None) | (_t.ips_read_at < b("before")))


def find(tx: Tx, publisher_no: int, client_no: int) -> ClickDefinition | None:
    return _ONE.first(tx, publisher_no=publisher_no, client_no=client_no)


def by_number(tx: Tx, no: int) -> ClickDefinition | None:
    return _BY_NO.first(tx, no=no)


def of_publisher(tx: Tx, publisher_no: int) -> list[ClickDefinition]:
    """The one for all clients first, then those of single clients, the oldest client first."""
    return _OF_ONE.all(tx, publisher_no=publisher_no)


def of_publishers(tx: Tx, publisher_nos: Iterable[int]) -> list[ClickDefinition]:
    return _OF_PUBLISHERS.all(tx, publishers=Listed(sorted(set(publisher_nos))))


def bot_ips(tx: Tx, no: int) -> list[str]:
    """The networks of a definition's list."""
    text: str | None = tx.value(_LIST, no=no)
    return text.splitlines() if text else []


def add(tx: Tx, publisher_no: int, client_no: int, body: DefinitionBody, now: Instant) -> int:
    """Insert a definition, replacing any in its place; the new row's number."""
    tx.run(_CLEAR, publisher_no=publisher_no, client_no=client_no)
    return tx.put(
        click_definitions,
        publisher_no=publisher_no,
        client_no=client_no,
        body=msgspec.json.encode(body).decode(),
        bot_ips=None,
        ips_read_at=None,
        ips_failure=None,
        created_at=now,
        updated_at=now,
    )


def change(tx: Tx, former: ClickDefinition, body: DefinitionBody, now: Instant) -> None:
    """Save a body. What was read of another list than its own is deleted."""
    same = body.bot_ips_url == former.body.bot_ips_url
    dropped = {} if same else {"bot_ips": None, "ips_read_at": None, "ips_failure": None}
    text = msgspec.json.encode(body).decode()
    tx.change(click_definitions, {"no": former.no}, body=text, updated_at=now, **dropped)


def set_list(tx: Tx, no: int, networks: Iterable[str], now: Instant) -> None:
    text = "\n".join(networks)
    tx.change(click_definitions, {"no": no}, bot_ips=text, ips_read_at=now, ips_failure=None)


def set_failure(tx: Tx, no: int, why: str) -> None:
    tx.change(click_definitions, {"no": no}, ips_failure=why)


def delete(tx: Tx, no: int) -> None:
    tx.run(_DELETE, no=no)


def to_read(tx: Tx, before: Instant) -> list[int]:
    """The definitions with a list that was not read since."""
    return [no for (no,) in tx.all(_LISTED, before=before)]
