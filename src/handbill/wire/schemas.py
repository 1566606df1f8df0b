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
    rest = {key: one for key, one in schema.items() if key not in _LIMITS}
    if rest.get("pattern") == NOT_BLANK:
        del rest["pattern"]
    if "items" in rest:
        rest["items"] = unlimited(rest["items"])
    if "anyOf" in rest:
        rest["anyOf"] = list(map(unlimited, rest["anyOf"]))
    return rest


def without_null(schema: Schema) -> Schema:
    """The schema of a nullable value, without null."""
    *others, last = schema.get("anyOf", [{}])
    if last != {"type": "null"}:
        return schema
    rest = {key: one for key, one in schema.items() if key != "anyOf"}
    return rest | (others[0] if len(others) == 1 else {"anyOf": others})


def or_null(schema: Schema) -> Schema:
    """The schema of a value, or null."""
    null = {"type": "null"}
    for word in ("anyOf", "oneOf"):
        if word in schema:
            others = [one for one in schema[word] if one != null]
            return schema | {word: [*others, null]}
    nullable = dict(schema)
    if "$ref" in nullable:
        return {"anyOf": [{"$ref": nullable.pop("$ref")}, null], **nullable}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        nullable["type"] = list(dict.fromkeys([*kinds, "null"]))
    return nullable


class Plain(GenerateJsonSchema):
    """JSON Schema without titles: the names say as much."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False
