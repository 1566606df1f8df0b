"""Changes in words: what was changed, and each field before and after."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from handbill.pages.filters import FIELDS, OPERATORS
from handbill.pages.wording import number, percent, raw, when

_MILLIONTHS = 1_000_000
_PER_PERCENT = 10_000
_SWITCHED = {"A": "active", "P": "paused"}
_SHORT = 8
_MOST = 120
_SIDES = ("before", "after")
_NAMES = ("/name", "/company_name", "/title", "/mail", "/url", "/source")
_NOTHING = raw(None)
_INSTANTS = ("_at", "_until")
_AMOUNTS = re.compile(r"(?:micros|millionths|budget/value)$")
_UNITS = re.compile(r"_(?:micros|millionths|ppm|id)$")
_MAPPED = re.compile("^schemaMappings?")
_WORDS = re.compile(r"[/_]|(?<=[a-z])(?=[A-Z])")
_IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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
        before, after = (_cut(_value(path, field.get(side), names)) for side in _SIDES)
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
    if held := _HELD.get(path.rstrip("0123456789")):
        return held
    if path == "ppm":
        return "percent"
    known = _MAPPED.sub("", _UNITS.sub("", path))
    shown = _IDS.sub(lambda found: short(found[0]), known)
    return _WORDS.sub(" ", shown).strip().lower()


def _value(path: str, value: Any, names: Mapping[str, str]) -> str:
    """A value in words: what it is goes by the path of its field."""
    if isinstance(value, bool) or (path.rpartition("/")[2].startswith("is_") and value in (0, 1)):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return _figure(path, value)
    if isinstance(value, dict):
        return _parts(path, value, names)
    if isinstance(value, list):
        between = "; " if any(isinstance(one, dict) for one in value) else ", "
        return between.join(_value(path, one, names) for one in value) or "none"
    if isinstance(value, str) and path.endswith(_INSTANTS):
        return when(value)
    if path == "status":
        return _SWITCHED.get(value, raw(value))
    return names.get(value) or raw(value)


def _figure(path: str, value: int | Decimal) -> str:
    if _AMOUNTS.search(path):
        return number(Decimal(value) / _MILLIONTHS, 6)
    return percent(Decimal(value) / _PER_PERCENT, 4) if path.endswith("ppm") else raw(value)


def _parts(path: str, value: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What has several parts: a job filter in words, other things part by part."""
    if value.keys() == {"bytes", "digest"}:
        return f"a text of {value['bytes']} bytes"
    if "terms" in value:
        operator = OPERATORS.get(value["operator"], value["operator"])
        return f"{FIELDS.get(value['field'], value['field'])} {operator} {_terms(value['terms'])}"
    if "rules" in value and "all_of" in value:
        word = " and " if value["all_of"] else " or "
        return word.join(
            f"({_parts(path, one, names)})" if "rules" in one else _parts(path, one, names)
            for one in value["rules"]
        )
    said = [(key, _value(f"{path}/{key}", one, names)) for key, one in value.items()]
    return ", ".join(f"{_name(key)} {text}" for key, text in said if text != _NOTHING) or "none"


def _terms(terms: Sequence[Any]) -> str:
    return ", ".join(map(str, terms))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
