"""Who changed what, as it is told."""

from typing import Any

import msgspec
from pydantic import Field

from handbill.changes import service
from handbill.core.trail import Act, Actor, Kind
from handbill.wire.fields import Instant
from handbill.wire.models import Model


class ChangedEntity(Model):
    """What was changed."""

    kind: Kind = Field(description="What it is.")
    id: str = Field(description="Its id; of an API key, its prefix.")


class ChangeActor(Model):
    """Who made a change."""

    kind: Actor = Field(description="What acted.")
    id: str = Field(description="The API client, the command's user or the task.")


class Change(Model):
    """One change: who, when, on what occasion, and each field before and after."""

    no: int = Field(alias="id", description="Its number; later changes have higher ones.")
    at: Instant = Field(description="Time of the change.")
    agency_id: str | None = Field(
        alias="agencyId", description="The agency; null: of the whole installation."
    )
    client_id: str | None = Field(alias="clientId", description="The client; null: of none.")
    entity: ChangedEntity = Field(description="What was changed.")
    act: Act = Field(description="Whether it was created, changed or deleted.")
    actor: ChangeActor = Field(description="Who made it.")
    request_id: str | None = Field(
        alias="requestId", description="The request that made it; null: none did."
    )
    cause: str = Field(description="The operation, the command or the kind of task.")
    fields_changed: list[dict[str, Any]] = Field(
        alias="fields",
        description="Each field by its JSON pointer, with its value before and after; of a secret "
        "neither, and of a long value its size and digest.",
    )


def change_told(one: service.Change) -> Change:
    return Change.of(
        one,
        entity=ChangedEntity.of(kind=one.kind, id=one.entity_id),
        actor=ChangeActor.of(kind=one.actor, id=one.actor_id),
        fields_changed=[msgspec.to_builtins(field) for field in one.fields],
    )
