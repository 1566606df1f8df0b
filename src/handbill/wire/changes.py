"""From what a body gave to what the noun is now: absent stays, null goes back to the default."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from handbill.kit.faults import Fault, pointed
from handbill.wire.values import Faults

_S = TypeVar("_S", bound=msgspec.Struct)


def settled(noun: _S, found: Mapping[str, Any], names: Mapping[str, str], faults: Faults) -> _S:
    """The noun with what was found, by the contract's name → the noun's name.

    Names that are not listed are left to the caller. **Refuses** (as faults) a null where the noun
    has no default.
    """
    changes: dict[str, Any] = {}
    for key, value in found.items():
        if key not in names:
            continue
        if value is None:
            value = _default(type(noun), names[key])  # noqa: PLW2901
            if value is msgspec.NODEFAULT:
                faults.append(Fault(f"/{pointed(key)}", "cannot be cleared"))
                continue
        changes[names[key]] = value
    return msgspec.structs.replace(noun, **changes)


def _default(of: type[msgspec.Struct], name: str) -> Any:
    known = next(field for field in msgspec.structs.fields(of) if field.name == name)
    if known.default_factory is not msgspec.NODEFAULT:
        return known.default_factory()
    return known.default
