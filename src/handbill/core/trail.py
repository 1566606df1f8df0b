"""What a change is: who made it, on what occasion, and the values before and after.

A change is recorded field by field, each named by a JSON pointer into the entity as it is stored,
in its own units. A long value is recorded as its size and digest, so that changes are bounded.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec

from handbill.kit.faults import pointed

Actor = Literal["API_CLIENT", "PERSON", "CLI", "RULE", "CONTROL", "SCHEDULE"]
Act = Literal["CREATE", "CHANGE", "DELETE"]
Kind = Literal[
    "AGENCY",
    "API_KEY",
    "API_CLIENT",
    "OWN_KEY",
    "PUBLISHER",
    "PUBLISHER_FAMILY",
    "CLICK_DEFINITION",
    "CLIENT",
    "CAMPAIGN",
    "JOB_GROUP",
    "JOB",
    "FEED",
    "MARKUP",
    "RULE",
    "RATE",
    "POSTING",
    "POSTING_JOB",
    "STAGE_MAP",
    "HOST",
    "REJUDGING",
    "PERSON",
    "SIGN_IN_PROVIDER",
    "REPORT_QUESTION",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

MOST_VALUE = 8_192
"""The most bytes of a value that is recorded in full."""
MOST_TOLD = 32_768
"""The most bytes of all values of a change that are recorded in full."""
MOST_FIELDS = 200
"""The most fields recorded one by one; beyond it, only their top-level fields."""
_DIGEST_BYTES = 16
_ENCODE = msgspec.json.Encoder(order="sorted").encode


class Occasion(NamedTuple):
    """Who acts, and what for. ``cause``: the operation, the command or the kind of task."""

    actor: Actor
    actor_id: str = ""
    request_id: str | None = None
    cause: str = ""
    undoes: int | None = None
    """The number of the change that is undone."""


HOUSE: Final = Occasion("SCHEDULE")
"""When there is no other actor."""


class TrailEntity(NamedTuple):
    """What was changed. Its agency is that of its client if none is given; with neither, it belongs
    to the whole installation.
    """

    kind: Kind
    id: str
    agency_no: int | None = None
    client_no: int | None = None


class Changed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field. ``before`` or ``after`` is absent if the field was or is absent; ``secret``:
    neither is recorded; ``cut``: each is recorded as ``{"bytes": …, "digest": …}``.
    """

    field: str
    before: Any = msgspec.UNSET
    after: Any = msgspec.UNSET
    secret: bool = False
    cut: bool = False


def act_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> Act:
    """The act between two states of an entity; an empty one: it does not exist."""
    if before and after:
        return "CHANGE"
    return "CREATE" if after else "DELETE"


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Changed, ...]:
    """The differences between two states of an entity, each the fields of a noun. For a created or
    deleted one, all fields that differ from their defaults.
    """
    both = bool(before and after)
    old, new = _plain(before, whole=both), _plain(after, whole=both)
    changes = list(_differences(old, new, "", deep=both))
    if len(changes) > MOST_FIELDS:
        changes = list(_differences(old, new, "", deep=False))
    is_short = len(changes) <= MOST_FIELDS and len(_ENCODE(changes)) <= MOST_VALUE
    return tuple(changes if is_short else _bounded(changes))


def trail_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """An entity's full state, in the form of its changes."""
    decoded: dict[str, Any] = msgspec.json.decode(_ENCODE(_plain(state, whole=True)))
    return decoded


def fields_of(noun: msgspec.Struct, *, whole: bool) -> dict[str, Any]:
    """A noun's fields by name. ``whole``: also those with their default value."""
    if whole:
        return msgspec.structs.asdict(noun)
    fields: dict[str, Any] = msgspec.to_builtins(noun)
    return fields


def _plain(value: Any, *, whole: bool) -> Any:
    """A value in its JSON form."""
    if not whole:
        return msgspec.to_builtins(value)
    if isinstance(value, msgspec.Struct):
        if value.__struct_config__.tag is not None:
            return msgspec.to_builtins(value)
        return {name: _plain(getattr(value, name), whole=True) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {name: _plain(item, whole=True) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, whole=True) for item in value]
    return value


def _differences(before: Any, after: Any, at: str, *, deep: bool) -> Iterator[Changed]:
    """The fields that differ. ``deep``: also inside objects and lists of equal length."""
    for key in before | after:
        old, new = before.get(key, msgspec.UNSET), after.get(key, msgspec.UNSET)
        if old is new or old == new:
            continue
        here = f"{at}/{pointed(key)}"
        if deep and isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, here, deep=True)
        elif deep and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            yield from _differences(_numbered(old), _numbered(new), here, deep=True)
        else:
            yield Changed(here, old, new)


def _numbered(values: list[Any]) -> dict[str, Any]:
    return {str(place): value for place, value in enumerate(values)}


def _bounded(found: list[Changed]) -> Iterator[Changed]:
    """The same, with long values cut; what exceeds MOST_FIELDS even so is told as one."""
    size = 0
    for one in found[:MOST_FIELDS]:
        sides = [_ENCODE(side) for side in (one.before, one.after) if side is not msgspec.UNSET]
        size += sum(map(len, sides))
        if size > MOST_TOLD or max(map(len, sides)) > MOST_VALUE:
            size -= sum(map(len, sides))
            yield Changed(one.field, _cut(one.before), _cut(one.after), cut=True)
        else:
            yield one
    if rest := found[MOST_FIELDS:]:
        yield Changed("", after=_cut([one.field for one in rest]), cut=True)


def _cut(value: Any) -> Any:
    if value is msgspec.UNSET:
        return value
    raw = _ENCODE(value)
    digest = hashlib.blake2b(raw, digest_size=_DIGEST_BYTES).hexdigest()
    return {"bytes": len(raw), "digest": digest}
