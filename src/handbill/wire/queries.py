"""Queries: rows that are read from the text behind a path, and described as parameters."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Final, NamedTuple, Self, get_args

from pydantic import Field

from handbill.kit.faults import Fault
from handbill.wire.described import schema_of
from handbill.wire.fields import Id, Whole
from handbill.wire.models import Model
from handbill.wire.values import Faults, Schema

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_FLAGS: Final = {"true": True, "false": False}


class Query(Model):
    """What a query may say; this one, nothing. An unknown name is ignored."""

    nullable: ClassVar[bool] = False

    @classmethod
    def read_pairs(cls, pairs: Iterable[tuple[str, str]], faults: Faults) -> Self:
        """Read a query's names and texts. **Refuses** a known name that is repeated, and NUL."""
        kinds = _kinds(cls)
        given: dict[str, Any] = {}
        for name, text in pairs:
            if name not in kinds:
                continue
            if name in given:
                faults.append(Fault(f"/{name}", "is given twice"))
            given[name] = _meant(kinds[name], text)
        query = cls.read(given, "", faults)
        fields = {fault.field for fault in faults}
        faults += [
            Fault(f"/{name}", "must not contain NUL")
            for name, one in given.items()
            if isinstance(one, str) and "\x00" in one and f"/{name}" not in fields
        ]
        return query

    def told(self) -> dict[str, Any]:
        """The given values, by the names of the query."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Paged(Query):
    page: Annotated[int, Whole(0, 2**40)] = Field(description="Page number; the first page is 0.")
    limit: Annotated[int, Whole(1, 1_000)] = Field(
        description="Number of records per page, 1 to 1000."
    )


class PagedFromOne(Paged):
    page: Annotated[int, Whole(1, 2**40)] = Field(description="Page number; the first page is 1.")


class OfClient(Query):
    client_id: Id = Field(description="Client of the jobs.")


class Parameter(NamedTuple):
    schema: Schema
    required: bool


@cache
def parameters(query: type[Query]) -> Mapping[str, Parameter]:
    """The parameters of a query, by name."""
    whole = schema_of(query, "validation")
    needed = whole.get("required", ())
    return {
        name: Parameter(_without_null(one), name in needed)
        for name, one in whole["properties"].items()
    }


def _without_null(schema: Schema) -> Schema:
    """A query means null by leaving the parameter out."""
    one: Schema
    (one,) = (one for one in schema.get("anyOf", [schema]) if one != {"type": "null"})
    return one | {"description": schema["description"]}


@cache
def _kinds(query: type[Query]) -> Mapping[str, Any]:
    """The type of each parameter, by its name."""
    return {
        row.alias or name: next(iter(get_args(row.annotation)), row.annotation)
        for name, row in query.model_fields.items()
    }


def _meant(kind: Any, text: str) -> Any:
    """A text as a value of the body's type; any other text stays, and is refused by its type."""
    if kind is bool:
        return _FLAGS.get(text.lower(), text)
    return int(text) if kind is int and _INTEGER.fullmatch(text) else text
