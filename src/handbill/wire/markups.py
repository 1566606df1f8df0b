"""Markups on the wire. **Source**: domain 4.2."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final, NamedTuple

from handbill.core.markups import LEVELS, Level
from handbill.kit.faults import Fault
from handbill.kit.instants import SECOND, Instant, iso_of
from handbill.kit.money import number_of
from handbill.kit.zones import zone_of
from handbill.wire.date_patterns import Read, When, instant_in
from handbill.wire.shapes import (
    Choice,
    Faults,
    Field,
    Integer,
    ListOf,
    Object,
    Percent,
    Schema,
    Shape,
    Text,
)
from handbill.wire.spelling import INSTANT, NUMBER, TEXT, WHOLE, described, listed, nullable, whole

MOST_PERCENT: Final = 800
"""The largest amount that there is, marked up by so much, is still a number of 64 bits."""
MOST_ENTITIES: Final = 100
NAMES: Final = {
    "name": "name", "effectiveFrom": "from_at", "value": "ppm", "entities": "entities",
}  # fmt: skip
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999


class Entity(NamedTuple):
    """Where a markup holds, as it is written. Without a ``publisher_id``: at every publisher."""

    client_id: str
    entity_id: str
    level: Level
    publisher_id: str | None


@dataclass(frozen=True)
class EpochSeconds(Shape):
    """Seconds since 1970, read as micros; or a day, or a date and time, read as ``Read``."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        found: Faults = []
        if isinstance(value, str):
            read: Any = When().read(value, at, found)
            if not found and instant_in(read, UTC, last=False) < 0:
                found.append(Fault(at, "must not be before 1970"))
        else:
            read = Integer(0, _LAST_SECOND).read(value, at, found)
            read = 0 if found else read * SECOND
        if found:
            says = "must be whole seconds since 1970, or an ISO-8601 date and time; at most of 9999"
            faults.append(Fault(at, says))
        return read

    def schema(self) -> Schema:
        return {
            "anyOf": [Integer(0, _LAST_SECOND).schema(), {"type": "string", "maxLength": 40}],
        }


def from_instant(from_at: Instant | Read, zones: set[str]) -> Instant | None:
    """From when on a markup holds, to the second; None: its clients' zones do not agree on it."""
    if isinstance(from_at, int):
        return from_at
    if from_at.moment.tzinfo is None and len(zones) != 1:
        return None
    zone = zone_of(next(iter(zones))) if len(zones) == 1 else UTC
    return max(0, instant_in(from_at, zone, last=False)) // SECOND * SECOND


def _whole_entity(found: dict[str, Any], at: str, faults: Faults) -> None:
    if found.get("entityId") is None and found["level"] != "Client":
        faults.append(Fault(f"{at}/entityId", "is required"))


def _entity(found: dict[str, Any]) -> Entity:
    client_id: str = found["clientId"]
    entity_id = found.get("entityId")
    return Entity(
        client_id, client_id if entity_id is None else entity_id, found["level"],
        found.get("placementId"),
    )  # fmt: skip


_ENTITY = Object(
    {
        "clientId": Field(Text(1, 200), "The client's id.", required=True),
        "entityId": Field(
            Text(1, 200), "Id of the client, campaign or job group; the client's if absent."
        ),
        "level": Field(Choice(LEVELS), "What entityId names, in any case.", required=True),
        "placementId": Field(Text(1, 200), "Only at this publisher; at every one if absent."),
    },
    check=_whole_entity,
    make=_entity,
)
_FIELDS: Final = {
    "effectiveFrom": (
        EpochSeconds(),
        (
            "From when on it holds: seconds since 1970, or ISO 8601. A day, or a time without an "
            "offset, is of the clients' zone; it is refused where their zones differ."
        ),
    ),
    "value": (
        Percent(MOST_PERCENT),
        f"Percent put on the spend, 0 to {MOST_PERCENT}, at most 4 decimals.",
    ),
    "entities": (
        ListOf(_ENTITY, 1, MOST_ENTITIES, unique=True),
        f"Where it holds, 1 to {MOST_ENTITIES}; an update replaces the whole list.",
    ),
}
_NAME: Final = {"name": Field(Text(0, 200), "A name for people.")}
CREATE = Object(
    {name: Field(shape, about, required=True) for name, (shape, about) in _FIELDS.items()} | _NAME
)
UPDATE = Object({name: Field(shape, about) for name, (shape, about) in _FIELDS.items()} | _NAME)

# ── out ─────────────────────────────────────────────────────────────────────────────────────────
MARKUP: Schema = whole(
    {
        "id": described(TEXT, "The markup's id."),
        "name": described(TEXT, "Its name, for people."),
        "effectiveFrom": described(WHOLE, "From when on it holds, in seconds since 1970."),
        "value": described(NUMBER, "Percent put on the spend."),
        "entities": described(
            listed(
                whole(
                    {
                        "clientId": described(TEXT, "The client's id."),
                        "entityId": described(TEXT, "Id of the client, campaign or job group."),
                        "level": described({"enum": list(LEVELS)}, "What entityId names."),
                        "placementId": described(
                            nullable(TEXT), "The publisher's id; null: at every publisher."
                        ),
                    }
                )
            ),
            "Where it holds.",
        ),
        "createdOn": described(INSTANT, "When it was created."),
        "lastUpdated": described(INSTANT, "When it was last changed."),
    }
)


def spell_markup(
    markup_id: str, name: str, from_at: Instant, ppm: int, entities: Iterable[Entity],
    dates: tuple[Instant, Instant],
) -> dict[str, Any]:  # fmt: skip
    """A markup as it is answered. ``dates``: when it was created, and last changed."""
    return {
        "id": markup_id,
        "name": name,
        "effectiveFrom": from_at // SECOND,
        "value": number_of(ppm * 100),
        "entities": [
            {
                "clientId": one.client_id,
                "entityId": one.entity_id,
                "level": one.level,
                "placementId": one.publisher_id,
            }
            for one in entities
        ],
        "createdOn": iso_of(dates[0]),
        "lastUpdated": iso_of(dates[1]),
    }
