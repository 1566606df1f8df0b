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


def _cap(of: str) -> Schema:
    return described(
        whole(
            {
                "cap": described(
                    {"enum": ["Daily", "Weekly", "Monthly", "Lifetime"]}, "Period of the cap."
                ),
                "value": described(
                    NUMBER, "Most per period: money, or a number of clicks or applies."
                ),
                "pacing": described(FLAG, "Whether it is spent evenly over the month."),
                "thresholdP": described(NUMBER, "Percent of the value at which it stops."),
                "locked": described(FLAG, "Whether the share is kept for the placement alone."),
            }
        ),
        of,
    )


BUDGET = _cap("Most to spend.")
_NAMES = {
    "budget": "Most to spend.",
    "clicks": "Most valid clicks.",
    "applies": "Most applies.",
    "jobBudget": "Most to spend per job; job groups only.",
    "jobClicks": "Most valid clicks per job; job groups only.",
    "jobApplies": "Most applies per job; job groups only.",
}
CAPS: Schema = whole({name: _cap(about) for name, about in _NAMES.items()}, tuple(_NAMES))
