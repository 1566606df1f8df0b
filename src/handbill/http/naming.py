"""Names for the schemas of a document: each object and each list of words is stated once, by name.

Generators make a type of each schema; of one without a name they make up another at each place.
"""

import re
from collections.abc import Mapping
from typing import Any

from handbill.kit.jsons import encode
from handbill.wire.values import Schema

_REF = "#/components/schemas/"
_BRANCHES = ("anyOf", "oneOf", "allOf")


class Names:
    """Schemas by name. What is equal but for its description has one name, the first it was given:
    that of its property, or where another has that one, the name of the whole before it.
    """

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self.schemas: dict[str, Schema] = {}
        self._names: dict[bytes, str] = {}
        self._taken = set(schemas)
        for name, schema in schemas.items():
            self._keep(name, self._below(schema, name))

    def named(self, schema: Schema, name: str) -> Schema:
        """The schema, with a reference for each object and each list of words in it."""
        return self._placed(schema, name, "")

    def _placed(self, schema: Schema, name: str, whole: str) -> Schema:
        told = self._below(schema, f"{whole}{name}")
        about = {"description": told.pop("description")} if "description" in told else {}
        words = told.get("enum", ())
        if None in words:
            rest: Schema = {key: one for key, one in told.items() if key not in {"enum", "type"}}
            rest |= {"type": "string", "enum": [word for word in words if word is not None]}
            return {"anyOf": [self._placed(rest, name, whole), {"type": "null"}]} | about
        if len({type(word) for word in words}) > 1:
            rest = {key: one for key, one in told.items() if key not in {"enum", "type"}}
            texts = {"type": "string", "enum": [word for word in words if isinstance(word, str)]}
            numbers = {"type": "integer", "enum": [word for word in words if isinstance(word, int)]}
            both = [self._placed(texts, name, whole), self._placed(numbers, f"{name}Number", whole)]
            return {"anyOf": both} | rest | about
        if isinstance(told.get("type"), list) and "properties" in told:
            rest = told | {"type": "object"}
            return {"anyOf": [self._placed(rest, name, whole), {"type": "null"}]} | about
        if "properties" not in told and not words:
            return told | about
        found = self._names.get(encode(told))
        if found is None:
            found = name if name not in self._taken else f"{whole}{name}"
            while found in self._taken:
                found += "Inner"
            self._keep(found, told | about)
        return {"$ref": _REF + found} | about

    def _one(self, schema: Schema, name: str) -> Schema:
        """One of many. A plain one has a name only where it would be taken for another's."""
        is_bound = schema.keys() & {"minLength", "maxLength", "pattern", "minimum", "maximum"}
        if (
            not is_bound
            or "enum" in schema
            or not any(name.endswith(taken) for taken in self._taken)
        ):
            return self._placed(schema, name, "")
        self._keep(name, schema)
        return {"$ref": _REF + name}

    def _keep(self, name: str, schema: Schema) -> None:
        self._taken.add(name)
        self.schemas[name] = schema
        plain = {key: one for key, one in schema.items() if key != "description"}
        self._names.setdefault(encode(plain), name)

    def _below(self, schema: Schema, name: str) -> Schema:
        """The schema, in which all below it is named."""
        found: dict[str, Any] = dict(schema)
        if "properties" in found:
            found["properties"] = {
                key: self._placed(inner, pascal(key), name)
                for key, inner in found["properties"].items()
            }
        for word in ("items", "additionalProperties"):
            if isinstance(found.get(word), dict):
                found[word] = self._one(found[word], _one_of(name))
        for word in _BRANCHES:
            if word in found:
                found[word] = [self._placed(one, name, "") for one in found[word]]
        return found


def pascal(name: str) -> str:
    """A name as a type has it."""
    words = re.split(r"[^A-Za-z0-9]+", name)
    return "".join(word[:1].upper() + word[1:] for word in words)


def _one_of(name: str) -> str:
    """The name of one of them."""
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else f"{name}Item"
