"""Models: names, types and meanings of the fields of a noun, each in one row.

A row is a field of pydantic: the noun's attribute, the contract's alias, other spellings, type and
description. From it a body is read, an answer written, and both described. **Source**:
docs/decisions/0039.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, reduce
from operator import or_
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
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
    ValidationError,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo
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
        shown = (name for name, row in cls.model_fields.items() if not row.exclude)
        cls.names = tuple(dict.fromkeys((*cls.first, *shown)))
        models = {name: _model_in(cls.model_fields[name].annotation) for name in cls.names}
        cls.nested = {name: one for name, one in models.items() if one is not None}

    @classmethod
    def __get_pydantic_core_schema__(cls, of: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(of)
        if not all(_tells_null(row) for row in cls.model_fields.values()):
            whole: Any = handler.resolve_ref_schema(schema)
            whole["schema"] = no_info_before_validator_function(cls._without_nulls, whole["schema"])
        return schema

    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, dict) or None not in value.values():
            return value
        absent: set[str] = set()
        for name, row in cls.model_fields.items():
            present = [one for one in spellings(name, row) if one in value]
            if present and value[present[0]] is None and not _tells_null(row):
                absent.update(present)  # the first spelling counts
        return {key: one for key, one in value.items() if key not in absent}

    @classmethod
    def read(cls, value: Any, at: str, faults: Faults) -> Self:
        """Read a body; its errors are added to ``faults``, and then the result does not count.

        Rows that are checked together are checked only if each is valid. So the body is read again
        without the wrong rows, and again, until it is valid; by then no row is required.
        """
        wrong: list[Fault] = []
        for reading in range(_MOST_READINGS):
            try:
                made = (_forgiving(cls) if reading else cls).model_validate(value)
            except ValidationError as failed:
                errors = failed.errors(include_url=False)
                wrong += others_in(errors, wrong, at) if reading else found_in(errors, at)
                left = without(value, errors)
                if left is None or (reading and left == value) or len(wrong) >= MOST_FAULTS:
                    break
                value = left
            else:
                if not reading:
                    return made
                break
        faults.extend(wrong)
        return cast(Self, None)

    @classmethod
    def of(cls, noun: Any = None, **rows: Any) -> Self:
        """The answer about a noun: each row is the noun's attribute of that name, or is given; a
        row of a model's type is made from its noun in the same way.
        """
        made = cls.__new__(cls)
        values = vars(made)  # nothing is checked again: stored values are shown as they are
        for name in cls.names:
            values[name] = rows[name] if name in rows else getattr(noun, name)
        for name, model in cls.nested.items():
            values[name] = _told(model, values[name])
        return made

    def given(self) -> dict[str, Any]:
        """The given values, by the noun's own names."""
        given = self.model_fields_set
        return {name: _noun_of(one) for name, one in self.__dict__.items() if name in given}

    def noun(self) -> Any:
        return type(self).makes(**self.given())

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> Schema:
        schema = handler(core)
        whole = handler.resolve_ref_schema(schema)
        rows: Schema = whole.get("properties", {})
        for name, row in cls.model_fields.items():
            spelling, *others = spellings(name, row)
            if spelling not in rows:
                continue
            rows[spelling].pop("default", None)
            if handler.mode == "serialization":
                rows[spelling] = unlimited(rows[spelling])
                if row.exclude_if is not None:
                    rows[spelling] = without_null(rows[spelling])
            if handler.mode == "validation" and others:
                rows[spelling]["description"] += f" Also read as {', '.join(others)}."
            if handler.mode == "validation" and cls.nullable and not row.is_required():
                rows[spelling] = or_null(rows[spelling])
        if cls.first:
            names = [spellings(name, cls.model_fields[name])[0] for name in cls.names]
            whole["properties"] = {name: rows[name] for name in names}
        return schema


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


@cache
def _forgiving(rows: type[_M]) -> type[_M]:
    """The same rows and checks, and none is required, here or in the models that a row consists of:
    what is read to find more errors.
    """
    changes: dict[str, Any] = {}
    for attribute, row in rows.model_fields.items():
        of = row.rebuild_annotation()
        forgiving = _forgiving_type(of)
        if forgiving != of or row.is_required():
            default = UNREAD if row.is_required() else row.get_default(call_default_factory=True)
            about = Field(default, alias=row.alias, validation_alias=row.validation_alias)
            changes[attribute] = (forgiving, about)
    if not changes:
        return rows
    return create_model(rows.__name__, __base__=rows, __module__=rows.__module__, **changes)


def _forgiving_type(of: Any) -> Any:
    if isinstance(of, type) and issubclass(of, Model):
        return _forgiving(of)
    parts = tuple(map(_forgiving_type, get_args(of)))
    if get_origin(of) is Annotated:
        return Annotated[(parts[0], *get_args(of)[1:])]
    if get_origin(of) in {Union, UnionType}:
        return reduce(or_, parts)
    return get_origin(of)[parts] if get_origin(of) in {list, tuple, dict} else of


def together(*rows: str) -> Callable[[Callable[[Any], None]], Any]:
    """Marks a check of required rows against others. It runs if each of them could be read."""

    def marked(check: Callable[[Any], None]) -> Any:
        def checked(made: Any) -> Any:
            if made.model_fields_set.issuperset(rows):
                check(made)
            return made

        return model_validator(mode="after")(checked)

    return marked


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
    values: dict[str, Any] = write(body, by_alias=True, exclude_unset=True)
    return values


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


def is_none(value: Any) -> bool:
    """Of a row that is left out of an answer where there is none."""
    return value is None


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
