"""Small words for answer schemas; their descriptions are what the OpenAPI document shows."""

from collections.abc import Mapping

from handbill.wire.shapes import Schema

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
DAY: Schema = {"type": "string", "pattern": r"^(\d\d/\d\d/\d{4})?$"}
INSTANT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
STATUS: Schema = {"type": "string", "enum": ["A", "P"]}


def described(schema: Schema, about: str) -> Schema:
    """The schema with a description."""
    return schema | {"description": about}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def mapped(schema: Schema) -> Schema:
    """An object with free keys."""
    return {"type": "object", "additionalProperties": schema}


def whole(properties: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """An object that always has all these keys, but for the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}
