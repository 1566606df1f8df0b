"""The acts of rules as an agency follows them: what is held, and which amounts there are."""

from collections.abc import Mapping
from typing import Any, Final

from handbill.core.charging import Scope
from handbill.kit.instants import Instant
from handbill.simulate.employers import CapOf, CapSet, GroupOf
from handbill.simulate.held import Thing
from handbill.simulate.trade import Trade, micros

Act = Mapping[str, Any]
_SCOPES: Final[Mapping[str, Scope]] = {
    "CLIENT": "client",
    "CAMPAIGN": "campaign",
    "JOBGROUP": "group",
    "PLACEMENT": "placement",
    "JOB": "job",
}


def thing_of(told: Act, name: str = "id") -> Thing:
    return told["level"], told[name], told.get("publisherId", "")


def acts_of(run: Act) -> list[Act]:
    """The acts of a run, as far as they were not skipped."""
    return [act for one in run["entities"] for act in one["acts"] if not act["skip"]]


def follow(trade: Trade, rule_id: str, run_id: str, act: Act, now: Instant) -> str:
    """Take over an act of a run; returns what is wrong with it, or an empty text."""
    thing, what = thing_of(act), act["action"]
    if what == "pause":
        is_new = trade.held.hold(thing, rule_id, run_id, now)
        return "" if is_new else "is held twice by one rule"
    if what == "resume":
        return "" if trade.held.lift(now, thing=thing) else "is let go, but was not held"
    former = amount_of(trade, act)
    set_amount(trade, act, micros(act["after"]))
    return "" if former == micros(act["before"]) else f"was {former} micros before"


def take_back(trade: Trade, rule_id: str, run_id: str, act: Act, now: Instant) -> bool:
    """Undo an act of a run, if nobody has changed it since; whether it was so."""
    thing, what = thing_of(act), act["action"]
    if what == "pause":
        return trade.held.lift(now, thing=thing, rule=rule_id, run=run_id) > 0
    if what == "resume" or amount_of(trade, act) != micros(act["after"]):
        return False
    set_amount(trade, act, micros(act["before"]))
    return True


def amount_of(trade: Trade, act: Act) -> int | None:
    if act["action"] == "budget":
        cap = trade.caps.get(_cap_of(act))
        return cap and cap.value
    group = _group_of(trade, act)
    if act["level"] == "PLACEMENT":
        return group.bids_micros.get(act["publisherId"])
    return group.bid_micros


def set_amount(trade: Trade, act: Act, value: int) -> None:
    if act["action"] == "budget":
        asked = _cap_of(act)
        trade.caps[asked] = CapSet(trade.caps[asked].period, value)
    elif act["level"] == "PLACEMENT":
        _group_of(trade, act).bids_micros[act["publisherId"]] = value
    else:
        _group_of(trade, act).bid_micros = value


def _cap_of(act: Act) -> CapOf:
    _, id_, publisher = thing_of(act)
    return CapOf(_SCOPES[act["level"]], (id_, publisher) if publisher else (id_,), "budget")


def _group_of(trade: Trade, act: Act) -> GroupOf:
    return next(group for one in trade.employers for group in one.groups if group.id == act["id"])
