"""JSON Schemas, of input and of output."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from handbill.wire.values import Schema

NOT_BLANK = r"\S"
_LIMITS = frozenset(
    {
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
    }
)


def unlimited(schema: Schema) -> Schema:
    """The schema without the limits of bodies: values stored under others are shown too."""
    found = {key: one for key, one in schema.items() if key not in _LIMITS}
    if found.get("pattern") == NOT_BLANK:
        del found["pattern"]
    if "items" in found:
        found["items"] = unlimited(found["items"])
    if "anyOf" in found:
        found["anyOf"] = list(map(unlimited, found["anyOf"]))
    return found


def without_null(schema: Schema) -> Schema:
    """The schema of a nullable value, without null."""
    *others, last = schema.get("anyOf", [{}])
    if last != {"type": "null"}:
        return schema
    found = {key: one for key, one in schema.items() if key != "anyOf"}
    return found | (others[0] if len(others) == 1 else {"anyOf": others})


def or_null(schema: Schema) -> Schema:
    """The schema of a value, or null."""
    null = {"type": "null"}
    for word in ("anyOf", "oneOf"):
        if word in schema:
            others = [one for one in schema[word] if one != null]
            return schema | {word: [*others, null]}
    found = dict(schema)
    if "$ref" in found:
        return {"anyOf": [{"$ref": found.pop("$ref")}, null], **found}
    if "enum" in schema:
        found["enum"] = [*schema["enum"], None]
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        found["type"] = list(dict.fromkeys([*kinds, "null"]))
    return found


class Plain(GenerateJsonSchema):
    """JSON Schema without titles: the names say as much."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False
