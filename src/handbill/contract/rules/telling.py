"""Rules, as they are told."""

from collections.abc import Iterable, Sequence

from handbill.contract.rules.conflicts import Conflict, conflicts_told
from handbill.contract.rules.guards import RuleGuards
from handbill.contract.rules.models import (
    AdminAction,
    JobFilter,
    Repetition,
    Rule,
    RuleAction,
    RuleCondition,
    RuleEntity,
)
from handbill.core import rule_conditions as core


def rules_told(some: Iterable[core.Rule], client_id: str, every: Sequence[core.Rule]) -> list[Rule]:
    """Some of a client's rules, of all that it has in their order."""
    order = {one.no: at for at, one in enumerate(every, 1)}
    return [rule_told(one, client_id, order[one.no], _conflicts_of(one, every)) for one in some]


def _conflicts_of(rule: core.Rule, every: Sequence[core.Rule]) -> list[Conflict]:
    """Of a rule that is paused, none: it pulls at nothing."""
    return conflicts_told(every, rule.body, rule.id) if rule.status == "A" else []


def rule_told(
    rule: core.Rule, client_id: str, order: int, conflicts: Sequence[Conflict] = ()
) -> Rule:
    body = rule.body
    job_filter = JobFilter.of(tree=body.job_filter) if body.level == "jobs" else None
    days = body.repeat_days
    return Rule.of(
        body,
        id=rule.id,
        client_id=client_id,
        status=rule.status,
        order=order,
        conflicts=list(conflicts),
        conditions=list(map(RuleCondition.of, body.conditions)),
        job_filter=job_filter,
        job_level=body.job_level or None,
        admin=AdminAction.of(kind=body.admin) if body.admin else None,
        filters=[RuleEntity.of(one, placement_ids=list(one.placement_ids)) for one in body.filters],
        guards=RuleGuards.of(body.guards) if body.guards != core.Guards() else None,
        action=RuleAction.of(body.action) if body.action else None,
        repeat_days=Repetition.of(clause="every", days=days, unit="days") if days else None,
        created_at=rule.created_at,
        updated_at=rule.updated_at,
    )
