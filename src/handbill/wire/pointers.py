"""From a noun's attributes, which services know, to JSON pointers into the request."""

from collections.abc import Iterable
from typing import Any, get_args, get_origin

from handbill.kit.faults import Fault, Refused, pointed, step_said
from handbill.wire.bodies import ReadItems
from handbill.wire.models import Model, parts, spellings


def pointed_out(refused: Refused, said: Any) -> Refused:
    """The refusal, with JSON pointers into the request where it names a noun's attributes."""
    refused.faults = pointers(type(said), refused.faults, said)
    return refused


def pointers(of: Any, faults: Iterable[Fault], said: Any = None) -> list[Fault]:
    """Faults of a value of this type, with JSON pointers where they name a noun's attributes:
    ``entities.0.publisher_id`` as ``/entities/0/placementId``.
    """
    if isinstance(said, ReadItems):
        of = list[type(said.items[0])] if said.many else type(said.items[0])  # type: ignore[misc]
    alone = isinstance(said, ReadItems) and not said.many
    return [
        fault
        if fault.field[:1] in {"", "/"}
        else Fault(_pointer(of, fault.field.split(".")[alone:]), fault.message)
        for fault in faults
    ]


def _pointer(of: Any, steps: list[str]) -> str:
    if not steps:
        return ""
    step, *rest = steps
    for one in parts(of):
        if isinstance(one, type) and issubclass(one, Model):
            if step in one.inside:
                return _pointer(one, [*one.inside[step].split("."), *rest])
            if row := one.model_fields.get(step):
                return f"/{pointed(spellings(step, row)[0])}" + _pointer(row.annotation, rest)
        if get_origin(one) in {list, tuple, dict}:
            of_item = get_args(one)[get_origin(one) is dict]
            return f"/{pointed(step_said(step))}" + _pointer(of_item, rest)
    return f"/{pointed(step_said(step))}" + _pointer(None, rest)
