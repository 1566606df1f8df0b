"""Names for the schemas of a document: each object, map and enumeration is stated once, by name.

Code generators make a type of each schema; for one without a name they invent one at each place.
"""

import re
from collections.abc import Mapping
from typing import Any

from handbill.kit.jsons import encode
from handbill.wire.values import Schema

_REF = "#/components/schemas/"
_BRANCHES = ("anyOf", "oneOf", "allOf")


class Names:
    """Schemas by name. Schemas that differ only in their description share the first name given:
    that of the property or, if it is taken, with the parent's name before it.
    """

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self.schemas: dict[str, Schema] = {}
        self._names: dict[bytes, str] = {}
        self._taken = set(schemas)
        for name, schema in schemas.items():
            self._keep(name, self._below(schema, name))

    def named(self, schema: Schema, name: str) -> Schema:
        """The schema, with a reference for each object and each enumeration in it."""
        return self._placed(schema, name, "")

    def _placed(self, schema: Schema, name: str, whole: str) -> Schema:
        named = self._below(schema, f"{whole}{name}")
        about = {"description": named.pop("description")} if "description" in named else {}
        words = named.get("enum", ())
        if None in words:
            rest: Schema = {key: one for key, one in named.items() if key not in {"enum", "type"}}
            rest |= {"type": "string", "enum": [word for word in words if word is not None]}
            return {"anyOf": [self._placed(rest, name, whole), {"type": "null"}]} | about
        if len({type(word) for word in words}) > 1:
            rest = {key: one for key, one in named.items() if key not in {"enum", "type"}}
            texts = {"type": "string", "enum": [word for word in words if isinstance(word, str)]}
            numbers = {"type": "integer", "enum": [word for word in words if isinstance(word, int)]}
            both = [self._placed(texts, name, whole), self._placed(numbers, f"{name}Number", whole)]
            return {"anyOf": both} | rest | about
        if named.get("type") == ["object", "null"]:
            rest = named | {"type": "object"}
            return {"anyOf": [self._placed(rest, name, whole), {"type": "null"}]} | about
        if named.get("type") != "object" and not words:
            return named | about
        default = {"default": named.pop("default")} if words and "default" in named else {}
        chosen = self._names.get(_content(named))
        if chosen is None:
            mapped = _map_names(named, name)
            chosen = self._free(*mapped, name if not mapped else "", f"{whole}{name}")
            self._keep(chosen, named if mapped else named | about)
        return {"$ref": _REF + chosen} | default | about

    def _free(self, *names: str) -> str:
        """The first of these names that is not taken; else the last, made longer."""
        for name in filter(None, names):
            if name not in self._taken:
                return name
        longer = names[-1]
        while longer in self._taken:
            longer += "Inner"
        return longer

    def _one(self, schema: Schema, name: str) -> Schema:
        """One of many. A plain one gets a name only where it would be confused with another's."""
        is_bound = schema.keys() & {"minLength", "maxLength", "pattern", "minimum", "maximum"}
        if (
            not is_bound
            or "enum" in schema
            or not any(name.endswith(taken) for taken in self._taken)
        ):
            return self._placed(schema, name, "")
        chosen = self._names.get(_content(schema), name)
        if chosen == name:
            self._keep(name, schema)
        return {"$ref": _REF + chosen}

    def _keep(self, name: str, schema: Schema) -> None:
        self._taken.add(name)
        self.schemas[name] = schema
        self._names.setdefault(_content(schema), name)

    def _below(self, schema: Schema, name: str) -> Schema:
        """The schema, with everything below it named."""
        named: dict[str, Any] = dict(schema)
        if "properties" in named:
            named["properties"] = {
                key: self._placed(inner, pascal(key), name)
                for key, inner in named["properties"].items()
            }
        for word in ("items", "additionalProperties"):
            if isinstance(named.get(word), dict):
                named[word] = self._one(named[word], _one_of(name))
        for word in _BRANCHES:
            if word in named:
                named[word] = [self._placed(one, name, "") for one in named[word]]
        return named


def _content(schema: Schema) -> bytes:
    """The content of a schema, without its description and the order of its parts."""
    return encode({key: schema[key] for key in sorted(schema) if key != "description"})


_PLAIN: dict[str, Any] = {"Text": {"type": "string"}, "Count": {"type": "integer"}, "Any": True}


def _map_names(schema: Schema, name: str) -> list[str]:
    """The names of a map: by what it holds (TextMap, ChildMap) if nothing else is known of it, or
    by its property. None: it is no map.
    """
    if schema.get("type") != "object" or "properties" in schema:
        return []
    if schema.get("maxProperties") == 0:
        return ["Empty"]
    own = f"{name.replace('-Output', '').replace('-Input', '')}Map"
    held = schema.get("additionalProperties", True)
    if isinstance(held, dict) and "$ref" in held:
        return [f"{held['$ref'].removeprefix(_REF).partition('-')[0]}Map", own]
    if schema.keys() <= {"type", "additionalProperties"}:
        for plain, of in _PLAIN.items():
            if held == of:
                return [f"{plain}Map"]
    return [own]


def pascal(name: str) -> str:
    """A name spelled as that of a type."""
    words = re.split(r"[^A-Za-z0-9]+", name)
    return "".join(word[:1].upper() + word[1:] for word in words)


def _one_of(name: str) -> str:
    """The name of one of them."""
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else f"{name}Item"
