"""What is told beside a rule that is saved or tried: rules that may act in the opposite way, and
fields of its job filter that no job has. Additions.
"""

from collections.abc import Sequence
from itertools import islice
from operator import not_
from typing import Annotated, Final

from pydantic import Field

from handbill.contract.envelopes import Identified, Warned
from handbill.core import rule_conditions as core
from handbill.core.nouns import Client
from handbill.core.rules.conflicts import conflicts_of
from handbill.rules import service
from handbill.store.records import Tx

_MOST: Final = 50
Warnings = Annotated[
    list[Warned],
    Field(
        exclude_if=not_,
        description="Addition to the contract. Fields of jobFilter that no job of the client has, "
        "if any.",
    ),
]


class Conflict(Identified):
    """Another rule that may act on the same thing in the opposite way."""

    name: str = Field(description="Its name.")
    order: int = Field(description="Its position. The first by order wins.")


Conflicts = Annotated[
    list[Conflict],
    Field(
        exclude_if=not_,
        description="Addition to the contract. The first 50 active rules that may act in the "
        "opposite way, if any.",
    ),
]


def conflicts_told(
    every: Sequence[core.Rule], body: core.RuleBody, but: str = ""
) -> list[Conflict]:
    """Of a client's rules, in their order, the first others that may pull the other way."""
    order = {one.no: at for at, one in enumerate(every, 1)}
    conflicts = conflicts_of(body, (one for one in every if one.id != but))
    some = islice(conflicts, _MOST)
    return [Conflict.of(one, name=one.body.name, order=order[one.no]) for one in some]


def warnings_told(tx: Tx, client: Client, body: core.RuleBody) -> list[Warned]:
    """The fields of a rule's job filter that no job of the client has."""
    return [
        Warned.of(field=f"/jobFilter/filter{one.field.replace('.', '/')}", message=one.message)
        for one in service.unknown_fields_of(tx, client, body)
    ]
