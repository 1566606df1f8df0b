"""The checks of a click, step by step: restored from its entry and what is kept beside it.

An entry keeps the reason alone. The steps have a fixed order and the first match decides, so the
reason implies that each earlier step found nothing. **Source**: core.click_definitions.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, Literal, NamedTuple

from handbill.core.charging import CounterKey, Limit, compared_on, name_of
from handbill.core.click_definitions import Definition
from handbill.core.judging import (
    BOT,
    DUPLICATE,
    FOREIGN,
    HEAD,
    INVALID,
    LATENT,
    OVER_CAP,
    PREFETCH,
    TEST,
    VALID,
)

Step = Literal[
    "CLIENT",
    "VISIT",
    "AGENT",
    "ADDRESS_LIST",
    "ADDRESS_RATE",
    "DUPLICATE",
    "FOREIGN",
    "LATENT",
]
STEPS: Final[tuple[Step, ...]] = (
    "CLIENT",
    "VISIT",
    "AGENT",
    "ADDRESS_LIST",
    "ADDRESS_RATE",
    "DUPLICATE",
    "FOREIGN",
    "LATENT",
)
"""In the judge's order; caps come after them."""
Found = Literal["DECIDED", "PASSED", "OFF", "NOT_REACHED"]
_OF_CLASS: Final[Mapping[str, Step]] = {
    INVALID: "CLIENT",
    BOT: "AGENT",
    DUPLICATE: "DUPLICATE",
    FOREIGN: "FOREIGN",
    LATENT: "LATENT",
}
_OF_REASON: Final[Mapping[str, Step]] = {
    HEAD: "VISIT",
    PREFETCH: "VISIT",
    TEST: "VISIT",
    "address_list": "ADDRESS_LIST",
    "address_rate": "ADDRESS_RATE",
}


class CheckStep(NamedTuple):
    """One step. ``OFF``: no rule needs it. ``NOT_REACHED``: an earlier one had decided."""

    step: Step
    found: Found


def checks_of(
    disposition: str, reason: str, rules: Definition | None, *, lists: bool
) -> list[CheckStep]:
    """The result of each step. ``rules``: those in force then, None if they are not known: then a
    step that was off is shown as passed. ``lists``: whether there was a list of addresses.
    """
    assert disposition in {VALID, OVER_CAP, *_OF_CLASS}, "it is a click's"
    decided = _OF_REASON.get(reason) or _OF_CLASS.get(disposition)
    checks: list[CheckStep] = []
    is_over = False
    for step in STEPS:
        if step == decided:
            is_over = True
            checks.append(CheckStep(step, "DECIDED"))
        elif is_over:
            checks.append(CheckStep(step, "NOT_REACHED"))
        else:
            is_off = rules is not None and not _asks(rules, step, lists=lists)
            checks.append(CheckStep(step, "OFF" if is_off else "PASSED"))
    return checks


def _asks(rules: Definition, step: Step, *, lists: bool) -> bool:
    return {
        "CLIENT": True,
        "VISIT": True,
        "AGENT": rules.bot and rules.by_agent,
        "ADDRESS_LIST": rules.bot and rules.by_address and lists,
        "ADDRESS_RATE": rules.bot and rules.most_clicks is not None,
        "DUPLICATE": bool(rules.duplicate_seconds),
        "FOREIGN": rules.foreign is not None,
        "LATENT": True,
    }[step]


class CapThen(NamedTuple):
    """A cap at an instant. ``used``: until then, None if it is no longer known; ``reserved``: the
    part still reserved for others. ``decided``: it had no room.
    """

    limit: Limit
    used: int | None
    reserved: int
    decided: bool


def counters_asked(limits: Iterable[Limit], day: date) -> set[CounterKey]:
    """The counters that show the state of caps: their own, and those of reserved budgets."""
    keys: set[CounterKey] = set()
    for key, _, _, reserved in compared_on(tuple(limits), day):
        keys.update((key, *(other for other, _ in reserved)))
    return keys


def caps_then(
    limits: Iterable[Limit], day: date, used: Mapping[CounterKey, int | None], decided: str
) -> list[CapThen]:
    """The state of the caps over a place. ``decided``: the name of the one without room."""
    caps = []
    for key, _, limit, reserved in compared_on(tuple(limits), day):
        kept = sum(max(0, value - (used.get(other) or 0)) for other, value in reserved)
        caps.append(CapThen(limit, used.get(key, 0), kept, name_of(limit) == decided))
    return caps
