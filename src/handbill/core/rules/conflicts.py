"""Rules that may change the same budget, bid or switch in opposite directions."""

from collections.abc import Iterable, Iterator

from handbill.core.rule_conditions import Rule, RuleBody


def conflicts_of(body: RuleBody, others: Iterable[Rule]) -> Iterator[Rule]:
    """Other active rules that may act on the same in the other direction, in order: of two, the
    first in order wins. Judged by their settings alone, whatever their conditions.
    """
    what, way = _pull(body)
    for one in others:
        if one.status == "A" and _pull(one.body) == (what, -way) and _may_meet(one.body, body):
            yield one


def _pull(body: RuleBody) -> tuple[str, int]:
    if body.action is None:
        return "switch", 1 if body.admin == "resume" else -1
    return body.action.parameter, 1 if body.action.increase else -1


def _may_meet(one: RuleBody, other: RuleBody) -> bool:
    """Whether both may be in force on a day, on an entity. Other levels may meet at children."""
    if one.end_on and other.start_on and one.end_on < other.start_on:
        return False
    if other.end_on and one.start_on and other.end_on < one.start_on:
        return False
    if any(a and b and a != b for a, b in _scopes(one, other)):
        return False
    if one.level != other.level:
        return "jobs" not in {one.level, other.level} and (
            one.apply_to_children or other.apply_to_children
        )
    ids = [{it.id for it in rule.filters} for rule in (one, other)]
    same_kind = (one.job_level, one.level) == (other.job_level, other.level)
    return not all(ids) or not same_kind or not ids[0].isdisjoint(ids[1])


def _scopes(one: RuleBody, other: RuleBody) -> list[tuple[str, str]]:
    return [(one.campaign_id, other.campaign_id), (one.group_id, other.group_id)]
