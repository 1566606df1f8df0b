"""Names of what changes concern and of the rules that made them: as they are now, or were last."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
import sqlalchemy as sa

from handbill.changes import rows
from handbill.changes.rows import RecordedChange
from handbill.core.trail import Kind
from handbill.core.undoing import is_of_hold
from handbill.store.records import Tx, tables

_TABLES: Final[dict[Kind, sa.Table]] = {
    "CLIENT": tables.clients,
    "CAMPAIGN": tables.campaigns,
    "JOB_GROUP": tables.groups,
    "RULE": tables.rules,
}


class _NamedBody(msgspec.Struct):
    name: str = ""
    company_name: str = ""


_DECODE: Final = msgspec.json.Decoder(_NamedBody).decode


def names_in(tx: Tx, some: Iterable[RecordedChange]) -> dict[str, str]:
    """Id → name of every client, campaign, job group and rule that these changes concern, were made
    by, or name themselves as what holds something or may be seen; also of deleted ones.
    """
    asked: dict[Kind, set[str]] = {}
    for one in some:
        for kind, id_ in _things_of(one):
            asked.setdefault(kind, set()).add(id_)
    names = {}
    for kind, table in _TABLES.items():
        for id_, body in rows.bodies(tx, table, sorted(asked.get(kind, ()))):
            named = _DECODE(body)
            names[id_] = named.company_name or named.name
    return {id_: name for id_, name in names.items() if name}


def _things_of(one: RecordedChange) -> Iterator[tuple[Kind, str]]:
    yield one.kind, one.entity_id
    if one.client_id is not None:
        yield "CLIENT", one.client_id
    if one.actor == "RULE":
        yield "RULE", one.actor_id
    for field in one.fields:
        named = _named_by(one.kind, field.field)
        if named is not None:
            for side in (field.before, field.after):
                ids = side if isinstance(side, list) else [side]
                yield from ((named, id_) for id_ in ids if isinstance(id_, str))


def _named_by(kind: Kind, field: str) -> Kind | None:
    """What the ids in a field are of; only of fields that Handbill sets, or has checked."""
    if kind == "PERSON":
        return "CLIENT" if field.startswith("/clients") else None
    return "RULE" if is_of_hold(field) else None
