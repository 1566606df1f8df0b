"""Rules, as they are read, checked in full, and told. **Source**: contract 1 (53), domain 11."""

from collections.abc import Iterator
from operator import not_
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from handbill.contract.envelopes import Dated, Identified, Page
from handbill.contract.filters import JobTree
from handbill.contract.reports.models import CallBackUrl
from handbill.contract.rules.conflicts import Conflicts, Warnings
from handbill.contract.rules.guards import RuleGuards
from handbill.core import rule_conditions as core
from handbill.core.rule_conditions import UNITS, faults_of_action, faults_of_value
from handbill.kit.faults import Fault
from handbill.wire.fields import Day, Distinct, Money, Whole
from handbill.wire.models import Model, is_none, together
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.words import AnyCase, Meaning
from handbill.wire.wrong import Wrong

_MOST_CONDITIONS: Final = 50
_MOST_FILTERS: Final = 1_000
Level = Annotated[core.Level, AnyCase(campaigns="campaign")]
EntityId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NOT_BLANK)]
RuleIds = Annotated[Distinct[EntityId], Field(min_length=1, max_length=1_000)]
Scope = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(lambda text: "" if text == "0" else text),
    PlainSerializer(lambda text: text or "0"),
]
"""An id; empty, and told as 0, where it says that there is none."""


class RuleCondition(Model):
    makes = core.Condition
    parameter: Annotated[core.Parameter, AnyCase()] = Field(
        description="The figure that is compared."
    )
    comparison: Annotated[core.Comparison, AnyCase()] = Field(
        alias="condition", description="Comparison with value."
    )
    value_millionths: Money = Field(alias="value", description="Value of the comparison.")
    unit: Annotated[core.Unit, AnyCase()] = Field(
        "#",
        description="# for counts, $ for money, % for shares. Default: the parameter's own unit.",
    )
    duration: Annotated[core.Duration, AnyCase()] = Field(
        alias="conditionDuration",
        description="Days that are evaluated. last_N_days ends yesterday.",
    )

    @field_validator("unit")
    @classmethod
    def _suits(cls, unit: str, beside: ValidationInfo) -> str:
        """Told beside any other fault, if the parameter is known."""
        parameter = beside.data.get("parameter")
        if parameter and unit not in UNITS[parameter]:
            raise Wrong(Fault("", f"must be {' or '.join(UNITS[parameter])} for {parameter}"))
        return unit

    @field_validator("value_millionths")
    @classmethod
    def _is_whole(cls, value: int, beside: ValidationInfo) -> int:
        parameter = beside.data.get("parameter")
        units = UNITS[parameter] if parameter else ()
        if len(units) == 1 and (why := faults_of_value(units[0], value)):
            raise Wrong(Fault("", why))
        return value

    @together("parameter", "value_millionths")
    def _sound(self) -> None:
        if "unit" not in self.model_fields_set:
            self.unit = UNITS[self.parameter][0]
        if why := faults_of_value(self.unit, self.value_millionths):
            raise Wrong(Fault("/value", why))


class RuleAction(Model):
    makes = core.Action
    increase: Annotated[bool, Meaning(increase=True, decrease=False)] = Field(
        alias="action", description="Whether the figure is increased or decreased."
    )
    parameter: Annotated[Literal["budget", "cpc bid", "cpa bid"], AnyCase()] = Field(
        description="Figure that is changed."
    )
    value_millionths: Money = Field(alias="value", description="Amount of the change, more than 0.")
    unit: Annotated[Literal["%", "$"], AnyCase()] = Field(
        description="Unit of the change: percent or money."
    )


class AdminAction(Model):
    makes = staticmethod(lambda kind: kind)
    kind: Annotated[Literal["pause", "resume"], AnyCase(enable="resume")] = Field(
        alias="type", description="The action. enable is read as resume."
    )


class Repetition(Model):
    makes = staticmethod(lambda days, **_: days)
    clause: Annotated[Literal["every"], AnyCase()] = Field("every", description="Always every.")
    days: Annotated[int, Whole(1, 365)] = Field(alias="value", description="Number of days.")
    unit: Annotated[Literal["days"], AnyCase()] = Field("days", description="Always days.")


class JobFilter(Model):
    """Selects jobs. Without a filter, all jobs."""

    makes = staticmethod(lambda tree=None: tree)
    tree: Annotated[JobTree | None, BeforeValidator(lambda it: it or None)] = Field(
        None,
        alias="filter",
        exclude_if=is_none,
        description="A filter as job groups have it: operator and rules. {}: all jobs.",
    )


class RuleEntity(Model):
    """An entity to which a rule applies."""

    makes = staticmethod(
        lambda placement_ids=(), **rows: core.RuleFilter(placement_ids=tuple(placement_ids), **rows)
    )
    id: EntityId = Field(description="The entity's id.")
    name: Annotated[str, StringConstraints(max_length=500)] = Field(
        "", description="The display name."
    )
    placement_ids: Annotated[
        Distinct[Annotated[str, StringConstraints(min_length=1, max_length=100)]],
        Field(max_length=1_000),
    ] = Field(
        [],
        alias="placementIds",
        description="Only at these publishers. With filterLevel jobs: stored; nothing acts on it.",
    )
    all_placements: bool = Field(
        False,
        alias="allPlacements",
        description="Whether the rule acts at every publisher. Default: false. With filterLevel "
        "jobs: stored; nothing acts on it.",
    )


def _body(*, conditions: Any, client_id: str = "", filters: Any = (), **rows: Any) -> core.RuleBody:  # noqa: ARG001 - whose rule it is, is for the service to check
    given = {name: value for name, value in rows.items() if value is not None}
    return core.RuleBody(conditions=tuple(conditions), filters=tuple(filters), **given)


class NewRule(Model):
    makes = staticmethod(_body)
    client_id: Scope = Field(
        "", alias="clientId", description="The client of the header x-client-id. 0: that client."
    )
    campaign_id: Scope = Field(
        "",
        alias="campaignId",
        description="Only within this campaign. 0: no restriction. With filterLevel clients: "
        "stored; nothing acts on it.",
    )
    group_id: Scope = Field(
        "",
        alias="jobGroupId",
        description="Only within this job group; with filterLevel campaign: only its campaign. 0: "
        "no restriction. With filterLevel clients: stored; nothing acts on it.",
    )
    level: Level = Field(
        alias="filterLevel",
        description="Level of the entities. jobs: of more than 100,000 jobs, only the oldest are "
        "evaluated, and cut is true in the answer.",
    )
    apply_to_children: bool = Field(
        True,
        alias="applyToChildren",
        description="Whether the rule also acts on the levels below. Default: true.",
    )
    conditions: list[RuleCondition] = Field(
        min_length=1, max_length=_MOST_CONDITIONS, description="Conditions of the rule."
    )
    all_of: Annotated[bool, Meaning(AND=True, OR=False)] = Field(
        True,
        alias="conditionOp",
        description="Whether all conditions must be met, or any. Default: AND.",
    )
    action_type: Annotated[core.ActionType, AnyCase()] = Field(
        alias="actionType", description="Kind of action."
    )
    name: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NOT_BLANK)] = (
        Field(description="Name of the rule.")
    )
    start_on: Day = Field("", alias="startDate", description="First day. Default: today.")
    end_on: Day = Field(
        "", alias="endDate", description="Last day. Default: a week after the first day."
    )
    job_filter: JobFilter | None = Field(
        None,
        alias="jobFilter",
        description="Filter of the jobs. Required for filterLevel jobs, otherwise not allowed.",
    )
    job_level: Annotated[core.JobLevel, AnyCase(campaigns="campaign")] | None = Field(
        None,
        alias="jobFilterLevel",
        description="Level at which jobs are selected. Required for filterLevel jobs, otherwise "
        "not allowed.",
    )
    admin: AdminAction | None = Field(
        None, alias="adminActions", description="Pauses or resumes; only for administration."
    )
    filters: list[RuleEntity] = Field(
        [], max_length=_MOST_FILTERS, description="The entities to which the rule applies."
    )
    action: RuleAction | None = Field(
        None, alias="actions", description="A change of budget or bid; not for administration."
    )
    repeat_days: Repetition | None = Field(
        None,
        alias="repeatActionDuration",
        description="Number of days, in the client's zone, before the rule acts on the same again. "
        "Null: no restriction.",
    )
    all_ids: bool = Field(
        False,
        alias="allIds",
        description="Whether the rule applies to all entities of filterLevel in its scope, even if "
        "filters names some. Without filters, it does so anyway. Default: false.",
    )
    notify: bool = Field(
        False,
        alias="notifyUser",
        description="Whether callBackUrl is called when the rule acts. Default: false.",
    )
    call_back_url: CallBackUrl = Field(
        "",
        alias="callBackUrl",
        exclude_if=not_,
        description="Addition to the contract. With notifyUser, called (POST) with {ruleId, "
        "ruleName, runId, clientId, ranOn, mode, acts} after a run that acts, or that would in "
        "mode ADVISE. Signed: see GET /callbacks/secret.",
    )
    guards: RuleGuards | None = Field(
        None,
        exclude_if=is_none,
        description="Addition to the contract. Limits of what the rule may do. Absent ones have "
        "their defaults.",
    )

    @together()
    def _in_order(self) -> None:
        if self.start_on and self.end_on and self.end_on < self.start_on:
            raise Wrong(Fault("/endDate", "must not be before startDate"))

    @together("action_type", "level")
    def _whole(self) -> None:
        if faults := [*self._faults_of_actions(), *self._faults_of_jobs()]:
            raise Wrong(*faults)

    def _faults_of_actions(self) -> Iterator[Fault]:
        """Exactly one of actions and adminActions, by the type."""
        kind, administers = self.action_type, self.action_type == "administration"
        of_kind = {"actions": self.action, "adminActions": self.admin}
        wanted = "adminActions" if administers else "actions"
        for name, action in sorted(of_kind.items(), key=lambda pair: pair[0] != wanted):
            if name == wanted and action is None:
                yield Fault(f"/{name}", f"is required for {kind}")
            if name != wanted and action is not None:
                yield Fault(f"/{name}", f"is not for {kind}")
        if administers and self.repeat_days is not None:
            yield Fault("/repeatActionDuration", f"is not for {kind}")
        if administers or self.action is None:
            return
        if self.action.model_fields_set.issuperset(RuleAction.names):  # each row could be read
            for name, why in faults_of_action(kind, self.action.noun()):
                yield Fault(f"/actions/{name}", why)

    def _faults_of_jobs(self) -> Iterator[Fault]:
        if self.level == "jobs":
            if self.job_level is None:
                yield Fault("/jobFilterLevel", "is required when filterLevel is jobs")
            if "job_filter" not in self.model_fields_set:
                yield Fault("/jobFilter", "is required when filterLevel is jobs")
            return
        if self.job_filter is not None and self.job_filter.tree is not None:
            yield Fault("/jobFilter", "is only for filterLevel jobs")
        if self.job_level is not None:
            yield Fault("/jobFilterLevel", "is only for filterLevel jobs")


class PreviewedRule(NewRule):
    makes = staticmethod(lambda rule_id=None, **rows: _body(**rows))  # noqa: ARG005 - whose body stood is for the service to look up
    rule_id: EntityId | None = Field(
        None,
        alias="ruleId",
        description="The rule that this one changes. What that rule names already is accepted even "
        "if it was deleted since.",
    )


class _Standing(Model):
    status: Literal["A", "P"] = Field(description="A: active. P: paused.")
    order: int = Field(description="Position among the client's rules, from 1.")


class Rule(Dated, _Standing, NewRule, Identified):
    """A rule: an action that is taken when conditions are met."""

    conflicts: Conflicts


class RulePage(Page[Rule]):
    """A client's rules, in their order."""


class RuleSwitch(Model):
    ids: RuleIds = Field(description="Ids of the rules, without repetition.")
    status: Annotated[Literal["A", "P"], AnyCase()] = Field(description="A to enable, P to pause.")


class RuleOrder(Model):
    ids: RuleIds = Field(description="All rules of the client, in order.")


class RuleId(Model):
    """The new resource."""

    id: str = Field(description="The new rule's id.")


class RuleMade(Model):
    """The rule was created."""

    made: RuleId = Field(alias="data", description="The new rule.")
    success: Literal[True] = Field(description="Always true: the rule is stored.")
    warnings: Warnings
    conflicts: Conflicts
