"""Markups, as they are read and told. **Source**: domain 4.2."""

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from handbill.contract.envelopes import Dated, Identified, Page
from handbill.core import markups as core
from handbill.core.markups import Level, MarkupScopeIds
from handbill.kit.faults import Fault
from handbill.kit.instants import SECOND
from handbill.markups import service
from handbill.store.records import Tx
from handbill.wire.date_patterns import NotDate, Read, instant_in, read_when
from handbill.wire.fields import Distinct, Id, Name, Percent
from handbill.wire.models import Model, partial
from handbill.wire.words import AnyCase
from handbill.wire.wrong import WrongBeside

_MOST_PERCENT: Final = 800
"""The largest amount that there is, marked up by so much, is still a number of 64 bits."""
_MOST_ENTITIES: Final = 100
_MOST_SECONDS: Final = 253_402_300_799  # the end of the year 9999


def _since(value: Any) -> int | Read:
    """Seconds since 1970, as micros; or a day, or a date and time, whose zone is not yet known."""
    says = "must be whole seconds since 1970, or an ISO-8601 date and time; at most of 9999"
    if isinstance(value, str):
        try:
            read = read_when(value)
        except NotDate:
            raise ValueError(says) from None
        if instant_in(read, UTC, last=False) < 0:
            raise ValueError("must not be before 1970")
        return read
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not is_number or value != int(value) or not 0 <= value <= _MOST_SECONDS:
        raise ValueError(says)
    return int(value) * SECOND


Since = Annotated[
    Any,
    PlainValidator(_since),
    PlainSerializer(lambda at: at // SECOND),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": _MOST_SECONDS},
                {"type": "string", "maxLength": 40},
            ]
        },
        "validation",
    ),
    WithJsonSchema({"type": "integer"}, "serialization"),
]


class MarkupEntity(Model):
    makes = MarkupScopeIds
    client_id: Id = Field(alias="clientId", description="The client's id.")
    entity_id: Id = Field(
        "",
        alias="entityId",
        description="Id of the client, campaign or job group. Default: the client's.",
    )
    level: Annotated[Level, AnyCase()] = Field(description="Level of entityId.")
    publisher_id: Id | None = Field(
        None,
        alias="placementId",
        description="The publisher's id. Without it, the markup applies at all publishers.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.entity_id == "":
            if self.level != "Client":
                raise WrongBeside(Fault("/entityId", "is required"))
            self.entity_id = self.client_id
        return self


class NewMarkup(Model):
    name: Name = Field("", description="A display name.")
    from_at: Since = Field(
        alias="effectiveFrom",
        description="Start: seconds since 1970, or ISO 8601. A day, or a time without an offset, "
        "is in the clients' zone, and refused if their zones differ.",
    )
    ppm: Annotated[int, Percent(_MOST_PERCENT)] = Field(
        alias="value", description="Percent added to the spend, at most 4 decimals."
    )
    entities: Distinct[MarkupEntity] = Field(
        min_length=1,
        max_length=_MOST_ENTITIES,
        description="Entities to which it applies. An update replaces the whole list.",
    )


MarkupChange = partial(NewMarkup, "MarkupChange")


class Markup(Dated, NewMarkup, Identified):
    """A markup on the spend of an agency's customers, with its start and its entities."""


class MarkupPage(Page[Markup]):
    """Markups, oldest first."""


def shown_markups(tx: Tx, markups: Sequence[core.Markup]) -> list[Markup]:
    """Markups with the ids of all that they name."""
    entities = service.entities_of(tx, markups)
    return [
        Markup.of(one, entities=list(map(MarkupEntity.of, entities[one.no]))) for one in markups
    ]
