"""Rules on the wire: checked in full on the way in, spelled as the reference's sample out."""

from dataclasses import dataclass
from typing import Any

from handbill.core import filters
from handbill.core.nouns import Branch
from handbill.core.rule_conditions import (
    ACTION_TYPES,
    COMPARISONS,
    DURATIONS,
    LEVELS,
    UNITS,
    Action,
    Condition,
    RuleBody,
    RuleFilter,
    faults_of_action,
    faults_of_value,
)
from handbill.kit.faults import Fault
from handbill.kit.money import number_of
from handbill.wire.clients import dates_in_order
from handbill.wire.groups import filter_schema
from handbill.wire.shapes import (
    Choice,
    Day,
    Faults,
    Field,
    Flag,
    Integer,
    ListOf,
    Money,
    Object,
    Schema,
    Shape,
    Text,
    spell_day,
)
from handbill.wire.spelling import (
    DAY,
    FLAG,
    INSTANT,
    OBJECT,
    STATUS,
    TEXT,
    WHOLE,
    described,
    listed,
    nullable,
    whole,
)

MOST_CONDITIONS = 50
MOST_FILTERS = 1_000
_NO_ID = frozenset({"", "0"})


@dataclass(frozen=True)
class _Level(Shape):
    """A level, in the reference's spelling (campaign) or the plural of it."""

    words: tuple[str, ...] = LEVELS

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, str) and value.casefold() == "campaigns":
            value = "campaign"
        return Choice(self.words).read(value, at, faults)

    def schema(self) -> Schema:
        return {"type": "string", "enum": [*self.words, "campaigns"]}


@dataclass(frozen=True)
class _JobFilter(Shape):
    """``{"filter": group}``; without a filter it takes every job."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, dict):
            faults.append(Fault(at, "must be an object with a filter"))
            return None
        if value.get("filter") is None:
            return None
        return filters.read_filter(value["filter"], f"{at}/filter", faults)

    def schema(self) -> Schema:
        about = "A filter as job groups have it: operator and rules. Absent: every job."
        group = filter_schema() | {"description": about}
        return {"type": "object", "properties": {"filter": group}}


def _condition_check(found: dict[str, Any], at: str, faults: Faults) -> None:
    units = UNITS[found["parameter"]]
    found["unit"] = found.get("unit") or units[0]
    if found["unit"] not in units:
        words = " or ".join(units)
        faults.append(Fault(f"{at}/unit", f"must be {words} for {found['parameter']}"))
    elif why := faults_of_value(found["unit"], found["value"]):
        faults.append(Fault(f"{at}/value", why))


def _condition(found: dict[str, Any]) -> Condition:
    return Condition(
        found["parameter"], found["condition"], found["value"], found["unit"],
        found["conditionDuration"],
    )  # fmt: skip


_CONDITION = Object(
    {
        "parameter": Field(Choice(tuple(UNITS)), "What is looked at.", required=True),
        "condition": Field(Choice(COMPARISONS), "How it is compared with value.", required=True),
        "value": Field(Money(), "What it is compared with.", required=True),
        "unit": Field(Choice(("#", "$", "%")), "# for counts, $ for money, % for shares."),
        "conditionDuration": Field(
            Choice(DURATIONS), "Over which days; so many days end yesterday.", required=True
        ),
    },
    check=_condition_check,
    make=_condition,
)


def _action(found: dict[str, Any]) -> Action:
    return Action(
        found["action"] == "increase", found["parameter"], found["value"], found["unit"]
    )  # fmt: skip


_ACTION = Object(
    {
        "action": Field(
            Choice(("increase", "decrease")), "Whether it grows or shrinks.", required=True
        ),
        "parameter": Field(
            Choice(("budget", "cpc bid", "cpa bid")), "Which figure is changed.", required=True
        ),
        "value": Field(Money(), "By how much, 0 or more.", required=True),
        "unit": Field(Choice(("%", "$")), "In percent or in money.", required=True),
    },
    make=_action,
)
_ADMIN = Object(
    {
        "type": Field(
            Choice(("pause", "resume", "enable")), "enable is read as resume.", required=True
        )
    },
    make=lambda found: "resume" if found["type"] == "enable" else found["type"],
)
_REPEAT = Object(
    {
        "clause": Field(Choice(("every",)), "Always every."),
        "value": Field(Integer(1, 365), "So many days, 1 to 365.", required=True),
        "unit": Field(Choice(("days",)), "Always days."),
    },
    make=lambda found: found["value"],
)


def _filter(found: dict[str, Any]) -> RuleFilter:
    return RuleFilter(
        found["id"], found.get("name") or "", tuple(found.get("placementIds") or ()),
        bool(found.get("allPlacements")),
    )  # fmt: skip


_FILTER = Object(
    {
        "id": Field(Text(1, 64), "The entity's id.", required=True),
        "name": Field(Text(0, 500), "Its name, for people."),
        "placementIds": Field(
            ListOf(Text(1, 100), 0, 1_000, unique=True), "Only on these publishers."
        ),
        "allPlacements": Field(Flag(), "Acts on every publisher; false."),
    },
    make=_filter,
)


def _check(found: dict[str, Any], at: str, faults: Faults) -> None:
    dates_in_order(found, at, faults)
    _check_action(found, at, faults)
    of_jobs = found["filterLevel"] == "jobs"
    if of_jobs and found.get("jobFilterLevel") is None:
        faults.append(Fault(f"{at}/jobFilterLevel", "is required when filterLevel is jobs"))
    if of_jobs and "jobFilter" not in found:
        faults.append(Fault(f"{at}/jobFilter", "is required when filterLevel is jobs"))
    if not of_jobs:
        for name in ("jobFilter", "jobFilterLevel"):
            if found.get(name) is not None:
                faults.append(Fault(f"{at}/{name}", "is only for filterLevel jobs"))


def _check_action(found: dict[str, Any], at: str, faults: Faults) -> None:
    """Exactly one of actions and adminActions, by the type."""
    administration = found["actionType"] == "administration"
    wanted, other = ("adminActions", "actions") if administration else ("actions", "adminActions")
    kind = found["actionType"]
    if found.get(wanted) is None:
        faults.append(Fault(f"{at}/{wanted}", f"is required for {kind}"))
    if found.get(other) is not None:
        faults.append(Fault(f"{at}/{other}", f"is not for {kind}"))
    if administration and found.get("repeatActionDuration") is not None:
        faults.append(Fault(f"{at}/repeatActionDuration", f"is not for {kind}"))
    action = found.get("actions")
    if not administration and isinstance(action, Action):
        for name, why in faults_of_action(kind, action):
            faults.append(Fault(f"{at}/actions/{name}", why))


_ID = Text(0, 64)
CREATE = Object(
    {
        "clientId": Field(_ID, "The client of the header; 0 or absent means it too."),
        "campaignId": Field(_ID, "Only within this campaign; 0 or absent: no such limit."),
        "jobGroupId": Field(_ID, "Only within this job group; 0 or absent: no such limit."),
        "filterLevel": Field(_Level(), "What the rule looks at.", required=True),
        "applyToChildren": Field(Flag(), "Whether it acts on what lies below too; true."),
        "conditions": Field(
            ListOf(_CONDITION, 1, MOST_CONDITIONS), "What must be so, 1 to 50.", required=True
        ),
        "conditionOp": Field(Choice(("AND", "OR")), "All of the conditions, or any; AND."),
        "actionType": Field(Choice(ACTION_TYPES), "What kind of deed it is.", required=True),
        "name": Field(Text(1, 500), "Name of the rule.", required=True),
        "startDate": Field(Day(), "First day, mm/dd/yyyy; today."),
        "endDate": Field(Day(), "Last day, mm/dd/yyyy; a week later."),
        "jobFilter": Field(_JobFilter(), "Which jobs; only and always for filterLevel jobs."),
        "jobFilterLevel": Field(
            _Level(LEVELS[:3]), "Below what the jobs are; only and always for filterLevel jobs."
        ),
        "adminActions": Field(_ADMIN, "pause or resume; for administration."),
        "filters": Field(ListOf(_FILTER, 0, MOST_FILTERS), "The entities looked at."),
        "actions": Field(_ACTION, "A change of budget or bid; not for administration."),
        "repeatActionDuration": Field(_REPEAT, "Acts again only so many days later."),
        "allIds": Field(Flag(), "Looks at every entity of the level; false."),
        "notifyUser": Field(Flag(), "Tells people when it acts; false."),
    },
    check=_check,
)
IDS = ListOf(Text(1, 64), 1, 1_000, unique=True)
STATUS_BODY = Object(
    {
        "ids": Field(IDS, "The rules, each once.", required=True),
        "status": Field(Choice(("A", "P")), "A to enable, P to pause.", required=True),
    }
)
ORDER_BODY = Object({"ids": Field(IDS, "Every rule of the client, in order.", required=True)})


def scope_id(text: str | None) -> str:
    """An id of a scope; empty where it says that there is none."""
    return "" if text is None or text in _NO_ID else text


def body_of(found: dict[str, Any], dates: tuple[str, str]) -> RuleBody:
    """A rule of what ``CREATE`` read."""
    to_children = found.get("applyToChildren")
    return RuleBody(
        name=found["name"], level=found["filterLevel"], conditions=tuple(found["conditions"]),
        all_of=found.get("conditionOp") != "OR", action_type=found["actionType"],
        action=found.get("actions"), admin=found.get("adminActions") or "",
        repeat_days=found.get("repeatActionDuration") or 0,
        filters=tuple(found.get("filters") or ()), job_filter=found.get("jobFilter"),
        job_level=found.get("jobFilterLevel") or "", campaign_id=scope_id(found.get("campaignId")),
        group_id=scope_id(found.get("jobGroupId")),
        apply_to_children=True if to_children is None else to_children,
        all_ids=bool(found.get("allIds")), notify=bool(found.get("notifyUser")),
        start_on=dates[0], end_on=dates[1],
    )  # fmt: skip


# ── out ─────────────────────────────────────────────────────────────────────────────────────────
RULE: Schema = whole(
    {
        "id": described(TEXT, "The rule's id."),
        "clientId": described(TEXT, "The client whose rule it is."),
        "campaignId": described(TEXT, "0: not limited to one."),
        "jobGroupId": described(TEXT, "0: not limited to one."),
        "filterLevel": described(Choice(LEVELS).schema(), "What the rule looks at."),
        "applyToChildren": described(FLAG, "Whether it acts on what lies below too."),
        "conditions": described(listed(_CONDITION.schema()), "When it acts."),
        "conditionOp": described(Choice(("AND", "OR")).schema(), "All of the conditions, or any."),
        "actionType": described(Choice(ACTION_TYPES).schema(), "What kind of deed it is."),
        "name": described(TEXT, "Name of the rule."),
        "startDate": described(DAY, "First day, mm/dd/yyyy."),
        "endDate": described(DAY, "Last day, mm/dd/yyyy."),
        "jobFilter": described(
            nullable(OBJECT), "Which jobs, under filter; empty: every job. null unless of jobs."
        ),
        "jobFilterLevel": described(
            nullable(TEXT), "Below what the jobs are; null unless filterLevel is jobs."
        ),
        "adminActions": described(
            nullable(_ADMIN.schema()), "pause or resume; null unless for administration."
        ),
        "filters": described(listed(_FILTER.schema()), "The entities looked at."),
        "actions": described(
            nullable(_ACTION.schema()), "The change of budget or bid; null for administration."
        ),
        "repeatActionDuration": described(
            nullable(_REPEAT.schema()), "Acts again only so many days later; null: at any time."
        ),
        "allIds": described(FLAG, "Whether it looks at every entity of the level."),
        "notifyUser": described(FLAG, "Whether it tells people when it acts."),
        "status": described(STATUS, "A active, P paused."),
        "order": described(WHOLE, "The place among the client's rules, from 1."),
        "createdOn": described(INSTANT, "When it was created."),
        "lastUpdated": described(INSTANT, "When it was last changed."),
    }
)


def spell_body(body: RuleBody) -> dict[str, Any]:
    """The rule as it was documented, in the order of the reference's sample."""
    of_jobs = body.level == "jobs"
    return {
        "campaignId": body.campaign_id or "0",
        "jobGroupId": body.group_id or "0",
        "filterLevel": body.level,
        "applyToChildren": body.apply_to_children,
        "conditions": [_spelled_condition(one) for one in body.conditions],
        "conditionOp": "AND" if body.all_of else "OR",
        "actionType": body.action_type,
        "name": body.name,
        "startDate": spell_day(body.start_on),
        "endDate": spell_day(body.end_on),
        "jobFilter": _spelled_job_filter(body.job_filter) if of_jobs else None,
        "jobFilterLevel": body.job_level or None,
        "adminActions": {"type": body.admin} if body.admin else None,
        "filters": [_spelled_filter(one) for one in body.filters],
        "actions": _spelled_action(body.action),
        "repeatActionDuration": _spelled_repeat(body.repeat_days),
        "allIds": body.all_ids,
        "notifyUser": body.notify,
    }


def _spelled_condition(one: Condition) -> dict[str, Any]:
    return {
        "parameter": one.parameter,
        "condition": one.comparison,
        "value": number_of(one.value_millionths),
        "unit": one.unit,
        "conditionDuration": one.duration,
    }


def _spelled_job_filter(found: Branch | None) -> dict[str, Any]:
    return {} if found is None else {"filter": filters.spell(found, "AND_OR")}


def _spelled_filter(one: RuleFilter) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "placementIds": list(one.placement_ids),
        "allPlacements": one.all_placements,
    }


def _spelled_action(action: Action | None) -> dict[str, Any] | None:
    if action is None:
        return None
    return {
        "action": "increase" if action.increase else "decrease",
        "parameter": action.parameter,
        "value": number_of(action.value_millionths),
        "unit": action.unit,
    }


def _spelled_repeat(days: int) -> dict[str, Any] | None:
    return {"clause": "every", "value": days, "unit": "days"} if days else None
