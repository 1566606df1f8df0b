"""From what a noun is to what it is after a change, by the noun's own names."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from handbill.kit.faults import Fault, bad_request

_S = TypeVar("_S", bound=msgspec.Struct)


def with_changes(noun: _S, changes: Mapping[str, Any]) -> _S:
    """The noun with what changes; None goes back to the default.

    **Refuses** (400) None where the noun has no default; every fault gathered.
    """
    defaults = {field.name: field for field in msgspec.structs.fields(type(noun))}
    settled = {
        name: _default(defaults[name]) if value is None else value
        for name, value in changes.items()
    }
    faults = [
        Fault(name, "cannot be cleared")
        for name, value in settled.items()
        if value is msgspec.NODEFAULT
    ]
    if faults:
        raise bad_request(faults)
    return msgspec.structs.replace(noun, **settled)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
