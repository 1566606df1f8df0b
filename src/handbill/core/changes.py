"""The state of a noun after a change, by the noun's own names."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from handbill.kit.faults import Fault, bad_request

_S = TypeVar("_S", bound=msgspec.Struct)


def with_changes(noun: _S, changes: Mapping[str, Any]) -> _S:
    """The noun with the changes applied; None restores the default.

    **Refuses** (400) None if the noun has no default; every fault gathered.
    """
    faults: list[Fault] = []
    after = settled(noun, changes, faults)
    if faults:
        raise bad_request(faults)
    return after


def settled(noun: _S, changes: Mapping[str, Any], faults: list[Fault]) -> _S:
    """As ``with_changes``, adding to the given faults. Single fields of a nested noun are changed
    by a mapping: ``{"caps": {"clicks": None}}``.
    """
    known = {field.name: field for field in msgspec.structs.fields(type(noun))}
    values = {}
    for name, value in changes.items():
        before = getattr(noun, name)
        if value is None:
            value = _default(known[name])  # noqa: PLW2901
            if value is msgspec.NODEFAULT:
                faults.append(Fault(name, "cannot be cleared"))
                continue
        elif isinstance(before, msgspec.Struct) and isinstance(value, Mapping):
            within: list[Fault] = []
            value = settled(before, value, within)  # noqa: PLW2901
            faults += [Fault(f"{name}.{one.field}", one.message) for one in within]
        values[name] = value
    return msgspec.structs.replace(noun, **values)


def fixed_faults(noun: Any, changes: Mapping[str, Any], names: Iterable[str]) -> list[Fault]:
    """A fault for each change of what is fixed at creation; the same value again is none."""
    return [
        Fault(name, "cannot be changed")
        for name in names
        if name in changes and changes[name] != getattr(noun, name)
    ]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
