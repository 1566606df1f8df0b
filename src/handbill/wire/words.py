"""Types of words: read in any case, and written as they are documented."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from handbill.kit.faults import Fault
from handbill.wire.values import Schema
from handbill.wire.wrong import Wrong

_T = TypeVar("_T")


class AnyCase:
    """A ``Literal`` that is read in any case, and stored in the documented one. ``others``: other
    accepted words, and what each means.
    """

    def __init__(self, **others: str) -> None:
        self._others = others

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> Any:
        words = {word.casefold(): word for word in get_args(of)}
        read = _word_of(words | self._others, words.values())
        return handler.generate_schema(Annotated[of, BeforeValidator(read)])


class Named:
    """A ``Literal`` that is read as a word in any case, or as an object that names it, and written
    as such an object: ``{"name": "CPC"}``.
    """

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> Any:
        words = get_args(of)
        read = _word_of({word.casefold(): word for word in words}, words)
        word: Schema = {"type": "string", "enum": list(words)}
        name = {"name": word | {"description": "The word."}}
        named: Schema = {"type": "object", "properties": name, "required": ["name"]}
        return handler.generate_schema(
            Annotated[
                of,
                BeforeValidator(_named(read)),
                PlainSerializer(lambda word: {"name": word}),
                WithJsonSchema({"oneOf": [word, named]}, "validation"),
                WithJsonSchema(named, "serialization"),
            ]
        )


class Meaning:
    """Words, read in any case, that each mean a value."""

    def __init__(self, **words: Any) -> None:
        self._words = words

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> Any:
        meant = {word.casefold(): value for word, value in self._words.items()}
        words = {value: word for word, value in self._words.items()}
        return handler.generate_schema(
            Annotated[
                of,
                PlainValidator(_word_of(meant, self._words)),
                PlainSerializer(words.__getitem__),
                WithJsonSchema({"type": "string", "enum": list(self._words)}),
            ]
        )


def _word_of(words: Mapping[str, _T], told: Iterable[str]) -> Callable[[Any], _T]:
    def read(value: Any) -> _T:
        folded = value.strip().casefold() if isinstance(value, str) else ""
        if not folded or folded not in words:
            raise ValueError("must be one of " + ", ".join(word for word in told if word))
        return words[folded]

    return read


def _named(read: Callable[[Any], _T]) -> Callable[[Any], _T]:
    def word_in(value: Any) -> _T:
        if not isinstance(value, dict):
            return read(value)
        try:
            return read(value.get("name"))
        except ValueError as bad:
            raise Wrong(Fault("/name", str(bad))) from None

    return word_in
