"""Changes in words: what was changed, and each field before and after."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from handbill.pages.wording import number, raw, when

_MICROS = 1_000_000
_SWITCHED = {"A": "active", "P": "paused"}
_SHORT = 8
_MOST = 80
_SIDES = ("before", "after")
_NAMES = ("/name", "/company_name", "/title", "/mail", "/url", "/source")
_NOTHING = raw(None)
_INSTANTS = ("_at", "_until")
_HELD = {"heldBy": "held by rules", "heldAtPlacement": "held at a publisher by rules"}
_ACTORS = {
    "PERSON": "A person",
    "API_CLIENT": "A program",
    "CLI": "{id}, by command",
    "RULE": "A rule",
    "CONTROL": "Handbill",
    "SCHEDULE": "Handbill, on schedule",
}


def named(change: Mapping[str, Any]) -> str:
    """The name that an entity has in a change; else the beginning of its id."""
    fields = {one["field"]: one.get("after") or one.get("before") for one in change["fields"]}
    for name in _NAMES:
        if isinstance(fields.get(name), str):
            return str(fields[name])
    return short(change["entity"]["id"])


def short(id_: str) -> str:
    """The beginning of a long id."""
    return id_ if len(id_) <= 2 * _SHORT else f"{id_[:_SHORT]}…"


def acted(change: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Who has made a change, as a phrase. ``names``: of people, rules and others, by id."""
    kind, id_ = str(change["actor"]["kind"]), str(change["actor"]["id"])
    if id_ in names:
        return f"Rule {names[id_]}" if kind == "RULE" else names[id_]
    return _ACTORS.get(kind, kind.capitalize()).format(id=id_ or "Somebody")


def field_difference(change: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """Each changed field as a phrase, with what it was and what it is; amounts are in the agency's
    currency. Fields that say nothing on both sides are left out.
    """
    phrases = []
    for field in change["fields"]:
        path = str(field["field"]).strip("/")
        is_amount = path.endswith("micros")
        before, after = (_value(path, is_amount, field.get(side), names) for side in _SIDES)
        if field.get("secret"):
            phrases.append(f"{_name(path)}: set anew, not shown")
        elif change["act"] != "CHANGE":
            value = after if change["act"] == "CREATE" else before
            phrases += [f"{_name(path)}: {value}"] if value != _NOTHING else []
        elif before != after:
            phrases.append(f"{_name(path)}: {before} → {after}")
    return phrases


def _name(path: str) -> str:
    """A field in words."""
    held = _HELD.get(path.rstrip("0123456789"))
    return held or path.removesuffix("micros").replace("/", " ").replace("_", " ").strip()


def _value(path: str, is_amount: bool, value: Any, names: Mapping[str, str]) -> str:
    if is_amount and isinstance(value, int | Decimal):
        return number(Decimal(value) / _MICROS, 6)
    if path.endswith(_INSTANTS) and isinstance(value, str):
        return when(value)
    if path == "status":
        return _SWITCHED.get(value, raw(value))
    if path.rpartition("/")[2].startswith("is_") and value in (0, 1):
        return "yes" if value else "no"
    if isinstance(value, dict):
        is_cut = value.keys() == {"bytes", "digest"}
        return f"a text of {value['bytes']} bytes" if is_cut else f"{len(value)} values"
    if isinstance(value, list):
        return ", ".join(_named(one, names) for one in value) or "none"
    return _named(value, names)


def _named(value: Any, names: Mapping[str, str]) -> str:
    return _cut(names.get(value) or raw(value) if isinstance(value, str) else raw(value))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
