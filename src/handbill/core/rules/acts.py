"""One act of a rule: what it changes of a target, and what prevents it.

**Source**: domain 11.3, docs/decisions/0057.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec

from handbill.core.rates import in_other
from handbill.core.rule_conditions import Guards, RuleBody
from handbill.core.rules.memory import EarlierAct, Memory, Of, of_act
from handbill.core.rules.sights import Sight
from handbill.core.rules.subjects import ActTarget, Kind
from handbill.kit.figures import counted
from handbill.kit.instants import HOUR, Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of

Skip = Literal[
    "GONE",
    "WINDOW_TOO_LONG",
    "NO_BUDGET",
    "FEW_EVENTS",
    "IMMATURE",
    "UNCHANGED",
    "ALREADY",
    "NO_BASE",
    "NO_RATE",
    "COOL_DOWN",
    "DAILY_LIMIT",
    "REPEAT",
    "CONTRADICTED",
    "AT_BOUND",
    "SHARE_OF_RUN",
    "REFUSED",
]
"""Why an entity, or one of its targets, is left alone."""
Found = tuple[Skip | Literal[""], str]
"""A reason, in words too; empty: there is none."""


class Act(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A change of one target: a pause, a resume, or an amount. ``skip``: why it is not made.
    ``clamped``: the result was outside a bound. ``currency``: of the amounts; empty: the agency's.
    """

    kind: Kind
    entity: str
    id: str
    name: str
    publisher_id: str = ""
    what: str
    before: int | None = None
    after: int | None = None
    currency: str = ""
    clamped: bool = False
    skip: str = ""
    words: str = ""
    undone: bool = False

    @property
    def pull(self) -> int:
        """1: more is listed or spent because of it; -1: less."""
        if self.what in {"pause", "resume"}:
            return 1 if self.what == "resume" else -1
        return 1 if (self.after or 0) > (self.before or 0) else -1

    @property
    def of(self) -> Of:
        """What is acted on: opposite acts on the same thing contradict each other."""
        return of_act(self.kind, self.entity, self.what)


def act_on(rule: RuleBody, target: ActTarget, sight: Sight, memory: Memory) -> Act:
    """What a rule does to a target, or why it does not."""
    what = rule.admin or (rule.action.parameter if rule.action else "")
    after, clamped, (skip, words) = _result(rule, what, target, memory)
    act = Act(
        kind=target.kind,
        entity=target.entity,
        id=target.id,
        name=target.name,
        publisher_id=target.publisher_id,
        what=what,
        before=target.before,
        after=after,
        currency=target.currency,
        clamped=clamped,
        skip=skip,
        words=words,
    )
    for check in () if skip else _CHECKS:
        skip, words = check(rule, act, sight, memory)
        if skip:
            return msgspec.structs.replace(act, skip=skip, words=words)
    return act


def _result(
    rule: RuleBody, what: str, target: ActTarget, memory: Memory
) -> tuple[int | None, bool, Found]:
    """The new amount, whether a bound has changed it, and why nothing is to be done."""
    thing = (target.kind, target.entity)
    if rule.action is None:
        done = thing in memory.held if rule.admin == "pause" else thing not in memory.any_held
        words = "this rule holds it already" if rule.admin == "pause" else "no rule holds it"
        return None, False, ("ALREADY", words) if done else ("", "")
    if not target.before:
        return None, False, ("NO_BASE", f"it has no {rule.action.parameter} of its own")
    if target.rate_picos is None:
        return None, False, ("NO_RATE", f"its bid is in {target.currency}, which has no rate today")
    amount = in_other(rule.action.value_millionths, target.rate_picos)
    if rule.action.unit == "%":
        amount = target.before * rule.action.value_millionths // (100 * PPM)
    wanted = target.before + (amount if rule.action.increase else -amount)
    after = _bounded(rule.guards, what, target, wanted)
    moves = after > target.before if rule.action.increase else after < target.before
    skipped: Found = ("", "") if moves else ("AT_BOUND", "a bound leaves no room for it")
    least = _least(rule.guards, what, target, more=rule.action.increase)
    whole = after // target.unit_micros * target.unit_micros
    return whole if whole >= least else after, after != wanted, skipped


def _bounded(guards: Guards, what: str, target: ActTarget, wanted: int) -> int:
    """An amount within an act's most change first, then within the bounds."""
    assert target.before, "there is a base"
    by = target.before * guards.change_ppm // PPM
    amount = min(max(wanted, target.before - by), target.before + by)
    high = guards.max_budget_micros if what == "budget" else guards.max_bid_micros
    amount = max(amount, _low(guards, what, target))
    return amount if high is None else min(amount, in_other(high, target.rate_picos or 0))


def _low(guards: Guards, what: str, target: ActTarget) -> int:
    if what == "budget":
        return guards.min_budget_micros
    lowest = -in_other(-guards.min_bid_micros, target.rate_picos or 0)  # rounded up
    return max(lowest, target.least)


def _least(guards: Guards, what: str, target: ActTarget, *, more: bool) -> int:
    """Cutting an amount down to whole units must pass no bound, and not undo an increase."""
    assert target.before, "there is a base"
    by = target.before * guards.change_ppm // PPM
    return max(_low(guards, what, target), target.before + 1 if more else target.before - by)


def _contradicted(rule: RuleBody, act: Act, sight: Sight, memory: Memory) -> Found:  # noqa: ARG001
    other = memory.now.get(act.of)
    if other is not None and other[1] != act.pull:
        return "CONTRADICTED", f"rule {other[0]}, which comes first, pulls the other way"
    return "", ""


def _cooling(rule: RuleBody, act: Act, sight: Sight, memory: Memory) -> Found:
    hours = rule.guards.cooldown_hours
    if not hours and act.of in memory.now:
        return "COOL_DOWN", "another rule acted on it in this run"
    if act.of in memory.now or any(sight.now - at < hours * HOUR for at in _times(act, memory)):
        return "COOL_DOWN", f"a rule acted on it less than {counted(hours, 'hour')} ago"
    return "", ""


def _limited(rule: RuleBody, act: Act, sight: Sight, memory: Memory) -> Found:
    most = rule.guards.acts_a_day
    if sum(at >= sight.day_start for at in _times(act, memory)) >= most:
        return "DAILY_LIMIT", f"rules have acted on it {counted(most, 'time')} today"
    return "", ""


def _repeated(rule: RuleBody, act: Act, sight: Sight, memory: Memory) -> Found:
    """Whole days count: a run may begin some minutes sooner than that of another day."""
    own = [one.at for one in _done_to(act, memory) if one.rule_no == memory.rule_no]
    if rule.repeat_days and own:
        past = day_of(sight.now, sight.zone) - day_of(max(own), sight.zone)
        if past.days < rule.repeat_days:
            return "REPEAT", f"it acts every {counted(rule.repeat_days, 'day')}"
    return "", ""


def _times(act: Act, memory: Memory) -> list[Instant]:
    return [one.at for one in _done_to(act, memory)]


def _done_to(act: Act, memory: Memory) -> Sequence[EarlierAct]:
    return memory.done.get((act.kind, act.entity), ())


_CHECKS: Final[tuple[Callable[[RuleBody, Act, Any, Memory], Found], ...]] = (
    _contradicted,
    _cooling,
    _limited,
    _repeated,
)
