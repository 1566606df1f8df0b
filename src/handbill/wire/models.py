"""Models: names, types and meanings of the fields of a noun, each in one row.

A row is a field of pydantic: the noun's attribute, the contract's alias, other spellings, type and
description. From it a body is read, an answer written, and both described. **Source**:
docs/decisions/0039.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    Self,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

import msgspec
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core.core_schema import CoreSchema, no_info_before_validator_function

from handbill.kit.faults import Fault
from handbill.wire.schemas import or_null, unlimited, without_null
from handbill.wire.values import MOST_FAULTS, Faults, Schema
from handbill.wire.wrong import found_in, others_in, without

_M = TypeVar("_M", bound="Model")
_REF = "#/components/schemas/{model}"
_MOST_READINGS = 4
UNREAD: Any = None
"""The default of a row that is used only if it was given: pydantic would copy a model."""


class Model(BaseModel):
    """Rows about one noun. Unknown keys are ignored. Null on a row that need not be there counts as
    absent, where its type does not say what null means. A row with ``exclude`` is read, and never
    told.

    ``makes``: what the rows that were said are handed to, by the noun's own names; ``merged``: an
    update changes the rows of this one by one, instead of all together; ``nullable``: null may
    stand where a row need not be there; ``inside``: attributes of the noun that are no rows of that
    name, and the rows that they are said in; ``first``: rows that are told before all others, in
    this order.
    """

    model_config = ConfigDict(strict=True, json_schema_serialization_defaults_required=True)
    makes: ClassVar[Callable[..., Any]] = dict
    merged: ClassVar[bool] = False
    nullable: ClassVar[bool] = True
    inside: ClassVar[Mapping[str, str]] = {}
    first: ClassVar[tuple[str, ...]] = ()
    names: ClassVar[tuple[str, ...]]
    nested: ClassVar[Mapping[str, "type[Model]"]]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        told = (name for name, row in cls.model_fields.items() if not row.exclude)
        cls.names = tuple(dict.fromkeys((*cls.first, *told)))
        found = {name: _model_in(cls.model_fields[name].annotation) for name in cls.names}
        cls.nested = {name: one for name, one in found.items() if one is not None}

    @classmethod
    def __get_pydantic_core_schema__(cls, of: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        found = handler(of)
        if not all(_tells_null(row) for row in cls.model_fields.values()):
            whole: Any = handler.resolve_ref_schema(found)
            whole["schema"] = no_info_before_validator_function(cls._without_nulls, whole["schema"])
        return found

    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, dict) or None not in value.values():
            return value
        absent: set[str] = set()
        for name, row in cls.model_fields.items():
            said = [one for one in spellings(name, row) if one in value]
            if said and value[said[0]] is None and not _tells_null(row):
                absent.update(said)  # the first spelling counts
        return {key: one for key, one in value.items() if key not in absent}

    @classmethod
    def read(cls, value: Any, at: str, faults: Faults) -> Self:
        """Read a body; its errors are added to ``faults``, and then the result does not count.

        Rows that are checked together are checked only if each is valid. So the body is read again
        without the wrong rows, and again, until it is valid.
        """
        found: list[Fault] = []
        for _ in range(_MOST_READINGS):
            try:
                made = cls.model_validate(value)
            except ValidationError as failed:
                errors = failed.errors(include_url=False)
                found += others_in(errors, found, at) if found else found_in(errors, at)
                value = without(value, errors)
                if value is None or len(found) >= MOST_FAULTS:
                    break
            else:
                if not found:
                    return made
                break
        faults.extend(found)
        return cast(Self, None)

    @classmethod
    def of(cls, noun: Any = None, **rows: Any) -> Self:
        """The answer about a noun: each row is the noun's attribute of that name, or is given; a
        row of a model's type is made from its noun in the same way.
        """
        made = cls.__new__(cls)
        told = vars(made)  # nothing is checked again: stored values are shown as they are
        for name in cls.names:
            told[name] = rows[name] if name in rows else getattr(noun, name)
        for name, model in cls.nested.items():
            told[name] = _told(model, told[name])
        return made

    def given(self) -> dict[str, Any]:
        """The given values, by the noun's own names."""
        said = self.model_fields_set
        return {name: _noun_of(one) for name, one in self.__dict__.items() if name in said}

    def noun(self) -> Any:
        return type(self).makes(**self.given())

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> Schema:
        found = handler(core)
        whole = handler.resolve_ref_schema(found)
        rows: Schema = whole.get("properties", {})
        for name, row in cls.model_fields.items():
            told, *others = spellings(name, row)
            if told not in rows:
                continue
            rows[told].pop("default", None)
            if handler.mode == "serialization":
                rows[told] = unlimited(rows[told])
                if row.exclude_if is not None:
                    rows[told] = without_null(rows[told])
            if handler.mode == "validation" and others:
                rows[told]["description"] += f" Also read as {', '.join(others)}."
            if handler.mode == "validation" and cls.nullable and not row.is_required():
                rows[told] = or_null(rows[told])
        if cls.first:
            names = [spellings(name, cls.model_fields[name])[0] for name in cls.names]
            whole["properties"] = {name: rows[name] for name in names}
        return found


@cache
def partial(rows: type[_M], name: str, only: tuple[str, ...] = ()) -> type[_M]:
    """The same rows, or ``only`` some, all optional, with null for clearing: what an update
    reads.
    """
    changes: dict[str, Any] = {}
    for attribute, row in rows.model_fields.items():
        if only and attribute not in only:
            continue
        about = Field(
            None,
            alias=row.alias,
            validation_alias=row.validation_alias,
            description=row.description,
        )
        changes[attribute] = (_change_of(row), about)
    change = create_model(name, __base__=Model, __module__=rows.__module__, **changes)
    change.inside = rows.inside
    return cast(type[_M], change)


def _change_of(row: FieldInfo) -> Any:
    of = _model_in(row.annotation)
    if of is not None and of.merged:
        return partial(of, f"{of.__name__.removeprefix('New')}Change") | None
    return row.rebuild_annotation() | None


def _model_in(of: Any) -> type[Model] | None:
    """The model that a value of this type is, or may be, or consists of."""
    for one in parts(of):
        if isinstance(one, type) and issubclass(one, Model):
            return one
        if get_origin(one) in {list, tuple, dict}:
            return _model_in(get_args(one)[get_origin(one) is dict])
    return None


def parts(of: Any) -> Iterable[Any]:
    """The types that a value of this type may have."""
    origin = get_origin(of)
    if origin is Annotated:
        return parts(get_args(of)[0])
    if origin in {Union, UnionType}:
        return [part for one in get_args(of) for part in parts(one)]
    return [of]


class Batch(NamedTuple):
    """The contents of one object, or of an array of them. ``many``: it was an array."""

    many: bool
    items: list[Any]


@dataclass(frozen=True)
class OneOrMany:
    """One object, or an array of at least one. A valid body is read at once; an invalid one item by
    item, until there are enough faults.
    """

    one: type[Model]
    most: int = 1_000

    def read(self, value: Any, at: str, faults: Faults) -> Batch:
        if not isinstance(value, list):
            return Batch(many=False, items=[self.one.read(value, at, faults)])
        if not 1 <= len(value) <= self.most:
            faults.append(Fault(at, f"must have 1 to {self.most} items"))
            return Batch(many=True, items=[])
        with suppress(ValidationError):
            return Batch(many=True, items=_every(self.one).validate_python(value))
        items = []
        for n, item in enumerate(value):
            if len(faults) >= MOST_FAULTS:
                break
            items.append(self.one.read(item, f"{at}/{n}", faults))
        return Batch(many=True, items=items)

    def schema(self, of_one: Schema) -> Schema:
        many = {"type": "array", "items": of_one, "minItems": 1, "maxItems": self.most}
        return {"oneOf": [of_one, many]}


class Array:
    """A body that is an array of single values, read as a list of this type."""

    def __init__(self, of: Any) -> None:
        self._list: TypeAdapter[list[Any]] = TypeAdapter(of, config=ConfigDict(strict=True))

    def read(self, value: Any, at: str, faults: Faults) -> list[Any]:
        try:
            return self._list.validate_python(value)
        except ValidationError as failed:
            faults.extend(found_in(failed.errors(include_url=False), at))
            return []

    def schema(self) -> Schema:
        return self._list.json_schema(schema_generator=_Plain)


@dataclass(frozen=True)
class ListOf:
    """An answer that is an array of one model."""

    one: type[Model]


@cache
def _every(of: type[_M]) -> TypeAdapter[list[_M]]:
    return TypeAdapter(list[of])  # type: ignore[valid-type] # known once it runs


def written_as(rows: type[Model]) -> type[msgspec.Struct]:
    """A struct that writes answers of a model as JSON, with the rows by the contract's names."""
    names = {name: spellings(name, row)[0] for name, row in rows.model_fields.items()}
    fields = [(name, Any) for name in rows.names]
    return msgspec.defstruct(f"Written{rows.__name__}", fields, rename=names, gc=False)


def spelled(body: Any) -> Any:
    """An answer as values of JSON."""
    if not isinstance(body, Model):
        return body
    return type(body).__pydantic_serializer__.to_python(body, by_alias=True)


def spelled_as_given(body: Model) -> dict[str, Any]:
    """The given values of what was read, as values of JSON."""
    write = type(body).__pydantic_serializer__.to_python
    found: dict[str, Any] = write(body, by_alias=True, exclude_unset=True)
    return found


def _told(model: type[Model], value: Any) -> Any:
    if value is None or isinstance(value, Model):
        return value
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [_told(model, one) for one in value]
    if isinstance(value, dict):
        return {name: _told(model, one) for name, one in value.items()}
    return model.of(value)


def _noun_of(value: Any) -> Any:
    if type(value) is list:
        return [_noun_of(one) for one in value]
    if type(value) is dict:
        return {name: _noun_of(one) for name, one in value.items()}
    return value.noun() if isinstance(value, Model) else value


class Nullable:
    """Marks the type of a row that defines its own meaning of null."""


def _tells_null(row: FieldInfo) -> bool:
    is_told = NoneType in get_args(row.annotation)
    return row.is_required() or is_told or any(isinstance(one, Nullable) for one in row.metadata)


def spellings(name: str, row: FieldInfo) -> list[str]:
    """The name that is written, followed by all others that are read."""
    if isinstance(row.validation_alias, AliasChoices):
        return [str(one) for one in row.validation_alias.choices]
    return [row.alias or name]


# ── described ───────────────────────────────────────────────────────────────────────────────────
class _Plain(GenerateJsonSchema):
    """JSON Schema without titles: the names say as much."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def schema_of(
    of: "Schema | type[Model] | ListOf", mode: JsonSchemaMode = "serialization"
) -> Schema:
    """The schema of an answer, or of what is read, with everything that it refers to."""
    if isinstance(of, dict):
        return of
    if isinstance(of, ListOf):
        return _every(of.one).json_schema(mode=mode, schema_generator=_Plain)
    return of.model_json_schema(mode=mode, schema_generator=_Plain)


def described(
    said: Iterable[type[Model]], told: Iterable[type[Model]]
) -> tuple[Mapping[tuple[Any, JsonSchemaMode], Schema], dict[str, Schema]]:
    """A reference for each model that is read or written, and everything they refer to, by name."""
    models: list[tuple[type[Model], JsonSchemaMode]] = [(one, "validation") for one in said]
    models += [(one, "serialization") for one in told]
    refs, found = models_json_schema(models, ref_template=_REF, schema_generator=_Plain)
    schemas = {name: _untitled(one) for name, one in found.get("$defs", {}).items()}
    return refs, schemas


def _untitled(schema: Schema) -> Schema:
    return {key: one for key, one in schema.items() if key != "title"}
