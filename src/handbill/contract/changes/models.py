"""Who changed what, as it is told."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import BeforeValidator, Field, WithJsonSchema

from handbill.changes import naming, service
from handbill.changes.service import CursorPlace
from handbill.core import undoing as core
from handbill.core.trail import Act, Actor, Changed, Kind
from handbill.kit.instants import DAY, instant_or_day, iso_of
from handbill.people import service as people
from handbill.store.records import Tx
from handbill.wire.fields import Id, Instant, Matching, Whole
from handbill.wire.models import Model
from handbill.wire.queries import Query
from handbill.wire.words import AnyCase

_WHYS: Final = "".join(f"\n- {why}: {words}." for why, words in core.WORDS.items())
_PLACE: Final = r"[0-9]{1,18}-[0-9]{1,18}"
_NO_PLACE: Final = "must be next of a previous answer"
_INSTANT: Final = re.compile(r"/\w+_(?:at|until)")
"""A noun's own field. What is below one may be a map with the customer's own names."""
_SIDES: Final = ("before", "after")
_WHEN: Final = WithJsonSchema({"type": "string", "maxLength": 40})


def _instant(text: Any, of_day: int) -> int:
    try:
        return instant_or_day(text, of_day)
    except (TypeError, ValueError):
        raise ValueError("must be an instant such as 2026-11-27T10:00:00Z, or a day") from None


class ChangesBelow(Query):
    """Which changes of one entity are asked for."""

    actor: Annotated[Actor, AnyCase()] | None = Field(
        None, description="Only changes by this kind of actor."
    )
    actor_id: Id | None = Field(
        None,
        alias="actorId",
        description="Only changes by this API client, user of a command, or task.",
    )
    since_at: Annotated[int, BeforeValidator(lambda text: _instant(text, 0)), _WHEN] | None = Field(
        None, alias="since", description="From this time on. A day is in UTC."
    )
    until_at: Annotated[int, BeforeValidator(lambda text: _instant(text, DAY)), _WHEN] | None = (
        Field(None, alias="until", description="Until this time; a day is included.")
    )
    limit: Annotated[int, Whole(1, 1_000)] = Field(
        50, description="Number of changes, 1 to 1000. Default: 50."
    )
    cursor: Annotated[str, Matching(_PLACE, _NO_PLACE, most=40)] | None = Field(
        None, description="Continues a list: next of the previous answer."
    )

    @property
    def before(self) -> CursorPlace | None:
        """Where the list goes on."""
        if self.cursor is None:
            return None
        at, _, no = self.cursor.partition("-")
        return int(at), int(no)


class ChangesAsked(ChangesBelow):
    """Which changes are asked for."""

    client_id: Id | None = Field(None, description="Only this client and what is below it.")
    entity_id: Id | None = Field(
        None, alias="entityId", description="Only the entity with this id, even if it is deleted."
    )


class ChangedEntity(Model):
    """An entity, by its kind and id."""

    kind: Kind = Field(description="Kind of entity.")
    id: str = Field(description="Its id; of an API key, its prefix.")


class ChangeActor(Model):
    """Who made a change."""

    kind: Actor = Field(description="Kind of actor.")
    id: str = Field(description="The API client, the command's user or the task.")


class Undoing(Model):
    """Whether a change can be undone now."""

    possible: bool = Field(description="Whether it can be undone.")
    why: core.Why | None = Field(description=f"Why it cannot be undone. Null: it can.{_WHYS}")
    fields_of: list[str] = Field(
        alias="fields", description="The fields to which why applies, such as those changed since."
    )


class UndoAsked(Model):
    """Options for undoing a change."""

    only_looks: bool = Field(
        False,
        alias="validateOnly",
        description="Whether to only check the undo and return what it would set. Default: false.",
    )


class UndoDone(Model):
    """A change was undone, or can be."""

    result: Literal[True] = Field(description="Always true.")
    message: str = Field(description="What was done.")
    fields_changed: list[dict[str, Any]] = Field(
        alias="fields",
        description="Each field that the undo sets, with its value before and after.",
    )


class Change(Model):
    """A change: who made it, when and why, and each field before and after."""

    no: int = Field(alias="id", description="Its number; later changes have higher ones.")
    at: Instant = Field(description="Time of the change.")
    agency_id: str | None = Field(
        alias="agencyId", description="The agency. Null: it concerns the whole installation."
    )
    client_id: str | None = Field(
        alias="clientId", description="The client. Null: it concerns no single client."
    )
    entity: ChangedEntity = Field(description="What was changed.")
    act: Act = Field(description="Whether it was created, changed or deleted.")
    actor: ChangeActor = Field(description="Who made it.")
    request_id: str | None = Field(
        alias="requestId", description="The request that made it. Null: none did."
    )
    cause: str = Field(description="The operation, the command or the kind of task.")
    undoes: int | None = Field(description="The change that this one undoes. Null: none.")
    undo: Undoing = Field(description="Whether it can be undone now.")
    fields_changed: list[dict[str, Any]] = Field(
        alias="fields",
        description="Each field by its JSON pointer, with its value before and after. Amounts "
        "are in millionths, in fields whose names end in micros. Secrets have no values; long "
        "values have their size and digest.",
    )


class ChangePage(Model):
    """Changes, newest first."""

    rows: list[Change] = Field(alias="data", description="The changes.")
    next: str | None = Field(description="Cursor of the next page. Null: there is none.")
    named: dict[str, str] = Field(
        alias="names",
        description="By id, the names of the clients, campaigns, job groups, rules and people in "
        "these changes, as they are now; of deleted ones, as they were last. Removed people "
        "have no name.",
    )


def names_told(
    tx: Tx, some: Sequence[service.RecordedChange], agency_no: int | None
) -> dict[str, str]:
    """The names in some changes. ``agency_no``: whose people may be named; None: all."""
    people_ids = {one.actor_id for one in some if one.actor == "PERSON"}
    people_ids |= {one.entity_id for one in some if one.kind == "PERSON"}
    return naming.names_in(tx, some) | people.names_of(tx, people_ids, agency_no)


def change_told(one: service.RecordedChange, bar: core.UndoBar) -> Change:
    undo = Undoing.of(possible=bar.why is None, why=bar.why, fields_of=list(bar.fields))
    return Change.of(
        one,
        entity=ChangedEntity.of(kind=one.kind, id=one.entity_id),
        actor=ChangeActor.of(kind=one.actor, id=one.actor_id),
        undo=undo,
        fields_changed=fields_told(one.fields),
    )


def fields_told(fields: Iterable[Changed]) -> list[dict[str, Any]]:
    """Each field as it is told: an instant as all are, everything else as it is stored."""
    rows = [msgspec.to_builtins(field) for field in fields]
    for field in rows:
        if _INSTANT.fullmatch(field["field"]):
            field |= {side: iso_of(field[side]) for side in _SIDES if _is_whole(field.get(side))}
    return rows


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
