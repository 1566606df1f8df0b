"""Rules that may act in the opposite way, told wherever a rule is saved or shown: additions."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from pydantic import Field

from handbill.contract.envelopes import Identified
from handbill.core import rule_conditions as core
from handbill.core.rules.conflicts import conflicts_of

_MOST: Final = 50


class Conflict(Identified):
    """Another rule that may act on the same thing in the opposite way."""

    name: str = Field(description="Its name.")
    order: int = Field(description="Its position. The first by order wins.")


def conflicts_told(
    every: Sequence[core.Rule], body: core.RuleBody, but: str = ""
) -> list[Conflict]:
    """Of a client's rules, in their order, the first others that may pull the other way."""
    order = {one.no: at for at, one in enumerate(every, 1)}
    found = conflicts_of(body, (one for one in every if one.id != but))
    some = islice(found, _MOST)
    return [Conflict.of(one, name=one.body.name, order=order[one.no]) for one in some]
