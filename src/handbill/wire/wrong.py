"""The errors of a body as faults, in our own words, each with its JSON pointer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from handbill.kit.faults import Fault, pointed
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.values import MOST_FAULTS

_TEXTS = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be an integer",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "bool_type": "must be true or false",
    "list_type": "must be an array",
    "tuple_type": "must be an array",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "literal_error": "must be {expected}",
}
"""Pydantic's errors in our own words. ``UNSAID``: a kind that no row has yet."""
UNSAID = "is not a value that can be taken here"
_Place = tuple[int | str, ...]
SAID = "said"
"""The kind of a fault whose type has its own words."""


class Wrong(ValueError):
    """Several errors of a value; each fault's pointer begins at the value."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults)
        self.faults = faults


class WrongWithin(Wrong):
    """Errors within one value that has no rows: without a part it would be another value."""


class WrongBeside(Wrong):
    """An error that depends on other fields. It is reported only if they could be read. ``of``: the
    pointer of the one field; without it, all others.
    """

    def __init__(self, *faults: Fault, of: str = "") -> None:
        super().__init__(*faults)
        self.of = of


def found_in(errors: Sequence[Mapping[str, Any]], at: str) -> list[Fault]:
    """Pydantic's errors in a body, as faults."""
    return [fault for error in errors[:MOST_FAULTS] for fault in _faults_of(error, at)]


def others_in(errors: Sequence[Mapping[str, Any]], found: list[Fault], at: str) -> list[Fault]:
    """The errors of a later reading, without those that come from rows that were left out, or from
    what contains them.
    """
    left_out = {fault.field for fault in found}
    left_out |= {above for field in left_out for above in _all_above(field)}
    sure = [one for one in errors if not _comes_of_absence(one, at, left_out)]
    more = found_in(sure, at)
    return [fault for fault in more if fault.field not in left_out]


def _all_above(field: str) -> Iterator[str]:
    """The pointers of everything that contains a field."""
    while field := field.rpartition("/")[0]:
        yield field


def _comes_of_absence(error: Mapping[str, Any], at: str, left_out: set[str]) -> bool:
    cause = _cause(error)
    if isinstance(cause, WrongBeside):
        return not cause.of or _at(error, at) + cause.of in left_out
    return bool(error["type"] == "missing")


def _cause(error: Mapping[str, Any]) -> Exception | None:
    """The exception of our own check."""
    cause: Exception | None = error.get("ctx", {}).get("error")
    return cause


def without(body: Any, errors: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A body without its wrong rows; if a list has a wrong item, without the list. None: it is no
    object.
    """
    if not isinstance(body, dict):
        return None
    wrong = [error for error in errors if error["type"] != "missing"]
    places = [place for error in wrong for place in _places_of(error)]
    left: dict[str, Any] = _left(
        body, [place for place in places if place[:1] and place[0] in body]
    )
    return left


_GONE: Any = object()


def _left(value: Any, places: list[_Place]) -> Any:
    """What is left of a value without these places below it; possibly nothing."""
    if not all(places) or not isinstance(value, dict | list):
        return _GONE
    below: dict[Any, list[_Place]] = {}
    for place in places:
        step = int(place[0]) if isinstance(value, list) and str(place[0]).isdecimal() else place[0]
        below.setdefault(step, []).append(place[1:])
    known = value if isinstance(value, dict) else range(len(value))
    left: Any = value.copy()
    for step, deeper in below.items():
        inside = _left(value[step], deeper) if step in known else _GONE
        if inside is not _GONE:
            left[step] = inside
        elif isinstance(value, dict) and step in value:
            del left[step]
        else:
            return _GONE
    return left


def _places_of(error: Mapping[str, Any]) -> list[_Place]:
    """The steps to each row that an error is about."""
    cause = _cause(error)
    if not isinstance(cause, Wrong) or isinstance(cause, WrongWithin):
        return [error["loc"]]
    return [(*error["loc"], *fault.field.split("/")[1:]) for fault in cause.faults]


def _at(error: Mapping[str, Any], at: str) -> str:
    """The pointer of the row that an error is about."""
    steps = error["loc"]
    if steps[-1:] == ("[key]",) and steps[-2:-1] == (error["input"],):
        steps = steps[:-1]
    return at + "".join(f"/{pointed(str(step))}" for step in steps)


def _faults_of(error: Mapping[str, Any], at: str) -> list[Fault]:
    here = _at(error, at)
    context, wrong = error.get("ctx", {}), _cause(error)
    if isinstance(wrong, Wrong):
        return [Fault(here + fault.field, fault.message) for fault in wrong.faults]
    if error["type"] == SAID:
        return [Fault(here, error["msg"])]
    if error["input"] is None and error["loc"] and isinstance(error["loc"][-1], str):
        return [Fault(here, _TEXTS["missing"])]
    if wrong is not None:
        return [Fault(here, str(wrong))]
    if context.get("pattern") == NOT_BLANK:
        return [Fault(here, "must not be blank")]
    if context.get("min_length") == 1:
        return [Fault(here, "must not be empty")]
    return [Fault(here, _TEXTS.get(error["type"], UNSAID).format(**context))]
