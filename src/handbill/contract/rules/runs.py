"""What rules have done, would do, and hold. All are additions to the contract."""

from collections.abc import Sequence
from operator import not_
from typing import Annotated, Any, Literal, get_args

from msgspec.structs import replace
from pydantic import Field

from handbill.contract.envelopes import Identified, Page
from handbill.contract.rules.conflicts import Conflict, Warnings, conflicts_told, warnings_told
from handbill.contract.rules.models import RuleCondition
from handbill.core.nouns import Client
from handbill.core.rule_conditions import RuleBody
from handbill.core.rules.acts import Act, Skip
from handbill.core.rules.backtesting import BackTest, Fired
from handbill.core.rules.running import RuleFinding
from handbill.rules import service
from handbill.rules.history import AskedStats, RuleRunBody
from handbill.rules.history import RuleRun as Kept
from handbill.rules.undoing import Undone
from handbill.store.records import Tx
from handbill.wire.fields import Day, Instant, Money
from handbill.wire.models import Model, is_none
from handbill.wire.words import AnyCase

Mode = Literal["OFF", "ADVISE", "ACT"]
_SKIPS = ", ".join(get_args(Skip))


class RulesControl(Model):
    """What a client's rules may do."""

    control: Annotated[Mode, AnyCase()] = Field(
        description="OFF: rules do not run. ADVISE: rules run and report what they would do. ACT: "
        "rules do it."
    )


class RulesControlTold(RulesControl):
    """The client's setting, and the effective one."""

    effective: Mode = Field(
        description="The more cautious of control and the installation's setting "
        "HANDBILL_RULES_MODE."
    )


EntityName = Annotated[str, Field(description="Name of the entity. For a job: its reference.")]
PlacementPublisher = Annotated[
    str,
    Field(alias="publisherId", exclude_if=not_, description="The publisher's id, for a placement."),
]
Cut = Annotated[
    bool,
    Field(
        exclude_if=not_,
        description="There are more than 100,000 jobs; only the oldest were looked at.",
    ),
]


class RunAct(Model):
    """One change of a switch, budget or bid."""

    level: str = Field(description="CLIENT, CAMPAIGN, JOBGROUP, PLACEMENT or JOB.")
    id: str = Field(description="Id of the entity. For a placement: the job group's id.")
    name: EntityName
    publisher_id: PlacementPublisher
    what: str = Field(alias="action", description="pause, resume, budget, cpc bid or cpa bid.")
    before: Money | None = Field(exclude_if=is_none, description="The amount before.")
    after: Money | None = Field(exclude_if=is_none, description="The amount after.")
    currency: str = Field(
        exclude_if=not_,
        description="ISO 4217 code of the amounts, if it is not the agency's currency.",
    )
    clamped: bool = Field(description="Whether a limit changed the result.")
    skip: str | None = Field(
        description="Why it was not done, as in skip of the entity. Null: it was done."
    )
    words: str = Field(alias="description", exclude_if=not_, description="The same, in words.")
    undone: bool = Field(description="Whether it was undone.")


class RunEntity(Model):
    """Result of a rule for an entity."""

    level: str = Field(description="CLIENT, CAMPAIGN, JOBGROUP or JOB.")
    id: str = Field(description="Its id.")
    name: str = Field(description="Name of the entity. For a job: its reference.")
    publisher_ids: list[str] = Field(
        alias="publisherIds", description="Only its figures at these publishers. Empty: all."
    )
    seen: list[Money | None] = Field(
        description="The figure of each condition, in order. Null: the figure is a ratio without "
        "a divisor."
    )
    matched: bool = Field(description="Whether the conditions were met.")
    skip: str | None = Field(description=f"Why nothing was done, one of: {_SKIPS}. Null: see acts.")
    words: str = Field(alias="description", exclude_if=not_, description="The same, in words.")
    acts: list[RunAct] = Field(description="The acts, whether done or not.")


class RunFilters(Model):
    start_on: Day = Field(alias="startDate", description="First day.")
    end_on: Day = Field(alias="endDate", description="Last day.")
    publisher_ids: list[str] = Field(
        alias="publisherIds", description="Only these publishers. Empty: all."
    )


class RunLevel(Model):
    primary: str = Field(alias="primaryLevel", description="Level of the rows.")


class RunQuestion(Model):
    """A body for POST /stats that returns the figures that were evaluated."""

    filters: RunFilters = Field(description="Days and publishers.")
    level: RunLevel = Field(alias="aggregationLevel", description="Levels of the rows.")


class RunSeen(Model):
    evaluated: int = Field(description="Number of entities evaluated.")
    matched: int = Field(description="Number of entities that meet the conditions.")
    conditions: list[RuleCondition] = Field(
        description="The rule's conditions at the time of the run."
    )
    questions: list[RunQuestion] = Field(
        description="Bodies for POST /stats that return the same figures. Figures of today still "
        "grow."
    )
    entities: list[RunEntity] = Field(
        description="Entities that meet the conditions or could not be evaluated, at most 1,000."
    )
    cut: Cut


class RuleRun(RunSeen, Identified):
    """A run of a rule that did something, or whose result differs from that of the run before."""

    at: Instant = Field(
        alias="ranOn",
        description="End of the time that was evaluated: a full quarter of an hour, with all "
        "events until then judged.",
    )
    mode: Literal["ADVISE", "ACT"] = Field(
        description="ADVISE: nothing was done; acts says what would have been done. ACT: the acts "
        "were done."
    )
    undone_at: Instant | None = Field(
        alias="undoneOn", description="When the run was undone. Null: it was not."
    )


class RuleRunPage(Page[RuleRun]):
    """A rule's runs, newest first."""


class NamedRun(RuleRun):
    """A run, and the rule whose run it was."""

    rule_id: str = Field(alias="ruleId", description="The rule; it may have been deleted since.")
    rule_name: str = Field(alias="ruleName", description="Its name.")


class NamedRunPage(Page[NamedRun]):
    """The runs of all rules of a client, newest first."""


class RulePreview(RunSeen):
    """What a rule would do now."""

    conflicts: list[Conflict] = Field(description="Rules that may act in the opposite way.")
    warnings: Warnings


class Beside(Model):
    """Spend and applies of an entity in seven days, at the publishers that were evaluated."""

    spent_micros: Money = Field(alias="spent", description="Spend.")
    applies: int = Field(description="Number of applies.")


class Firing(RunEntity):
    """An entity on which the rule would have acted."""

    at: Instant = Field(alias="ranOn", description="When.")
    before: Beside = Field(description="The seven days before the day of it.")
    after: Beside = Field(
        description="The seven days after the day of it, as far as they are over."
    )


class RuleBackTest(Model):
    """What a rule would have done in the last 30 days."""

    first_at: Instant = Field(alias="from", description="The first run.")
    last_at: Instant = Field(alias="until", description="The last run.")
    runs: int = Field(description="Number of runs.")
    evaluated: int = Field(description="Number of entities looked at, as there are now.")
    total: int = Field(alias="count", description="How often it would have acted on an entity.")
    whole: bool = Field(
        alias="complete", description="Whether it has come to the end; else to until."
    )
    conditions: list[RuleCondition] = Field(description="The conditions.")
    fired: list[Firing] = Field(
        alias="firings", description="On what it would have acted, the oldest first; 1,000 at most."
    )
    cut: Cut


class RuleUpdated(Model):
    """The rule was updated."""

    result: Literal[True] = Field(description="Always true. The change is durable.")
    message: str = Field(description="Confirmation.")
    conflicts: list[Conflict] = Field(description="Rules that may act in the opposite way.")
    warnings: Warnings


class NotUndone(Model):
    """An act that was not undone."""

    act: RunAct = Field(description="The act.")
    why_not: str = Field(alias="why", description="Why it was not undone.")


class RunUndone(Model):
    """The run was undone, in full or in part."""

    result: Literal[True] = Field(description="Always true. The change is durable.")
    message: str = Field(description="Confirmation.")
    undone: list[RunAct] = Field(description="The acts that were undone.")
    left: list[NotUndone] = Field(description="The acts that were not undone, and why.")


def seen_told(body: RuleRunBody) -> dict[str, Any]:
    """The rows of a run's body."""
    return {
        "evaluated": body.evaluated,
        "matched": body.matched,
        "conditions": list(map(RuleCondition.of, body.conditions)),
        "questions": list(map(_question, body.questions)),
        "entities": list(map(_entity, body.findings)),
        "cut": body.cut,
    }


def run_told(run: Kept) -> RuleRun:
    return RuleRun.of(run, **seen_told(run.body))


def runs_told(tx: Tx, client: Client, some: Sequence[Kept]) -> list[NamedRun]:
    known = service.rules_by_number(tx, client, {one.rule_no for one in some})
    return [
        NamedRun.of(
            one,
            rule_id=known[one.rule_no].id,
            rule_name=known[one.rule_no].body.name,
            **seen_told(one.body),
        )
        for one in some
    ]


def preview_told(tx: Tx, client: Client, body: RuleBody, found: RuleRunBody) -> RulePreview:
    conflicts = conflicts_told(service.rules_of(tx, client), body)
    warnings = warnings_told(tx, client, body)
    return RulePreview.of(conflicts=conflicts, warnings=warnings, **seen_told(found))


def backtest_told(body: RuleBody, found: BackTest) -> RuleBackTest:
    return RuleBackTest.of(
        found,
        conditions=list(map(RuleCondition.of, body.conditions)),
        fired=list(map(_firing, found.fired)),
    )


def undone_told(found: list[Undone]) -> RunUndone:
    left = [one for one in found if one.why_not]
    return RunUndone.of(
        result=True,
        message=f"Run undone, except for {len(left)} of {len(found)} acts"
        if left
        else "Run undone",
        undone=[act_told(replace(one.act, undone=True)) for one in found if not one.why_not],
        left=[NotUndone.of(act=act_told(one.act), why_not=one.why_not) for one in left],
    )


def act_told(act: Act) -> RunAct:
    return RunAct.of(act, level=level_told(act.kind), skip=act.skip or None)


def level_told(kind: str) -> str:
    """The name of a level, as it is told."""
    return "JOBGROUP" if kind == "group" else kind.upper()


def _entity(one: RuleFinding) -> RunEntity:
    return RunEntity.of(one, **_rows_of(one))


def _firing(one: Fired) -> Firing:
    beside = {name: Beside.of(getattr(one, name)) for name in ("before", "after")}
    return Firing.of(one.finding, at=one.at, **beside, **_rows_of(one.finding))


def _rows_of(one: RuleFinding) -> dict[str, Any]:
    return {
        "publisher_ids": list(one.publishers),
        "seen": list(one.seen),
        "skip": one.skip or None,
        "acts": list(map(act_told, one.acts)),
    }


def _question(one: AskedStats) -> RunQuestion:
    filters = RunFilters.of(
        start_on=one.first_on, end_on=one.last_on, publisher_ids=list(one.publishers)
    )
    return RunQuestion.of(filters=filters, level=RunLevel.of(primary=one.level))
