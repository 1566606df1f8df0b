"""The schemas of what is read and of what is answered."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from handbill.wire.bodies import ListOf, every
from handbill.wire.models import Model
from handbill.wire.schemas import Plain
from handbill.wire.values import Schema

_REF = "#/components/schemas/{model}"


def schema_of(
    of: "Schema | type[Model] | ListOf", mode: JsonSchemaMode = "serialization"
) -> Schema:
    """The schema of an answer, or of what is read, with everything that it refers to."""
    if isinstance(of, dict):
        return of
    if isinstance(of, ListOf):
        return every(of.one).json_schema(mode=mode, schema_generator=Plain)
    return of.model_json_schema(mode=mode, schema_generator=Plain)


def described(
    said: Iterable[type[Model]], told: Iterable[type[Model]]
) -> tuple[Mapping[tuple[Any, JsonSchemaMode], Schema], dict[str, Schema]]:
    """A reference for each model that is read or written, and everything they refer to, by name."""
    models: list[tuple[type[Model], JsonSchemaMode]] = [(one, "validation") for one in said]
    models += [(one, "serialization") for one in told]
    refs, whole = models_json_schema(models, ref_template=_REF, schema_generator=Plain)
    schemas = {name: _untitled(one) for name, one in whole.get("$defs", {}).items()}
    return refs, schemas


def _untitled(schema: Schema) -> Schema:
    return {key: one for key, one in schema.items() if key != "title"}
