"""What rules keep from being listed, as it is told: additions to the contract."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from handbill.campaigns.service import campaigns_by_number
from handbill.contract.envelopes import Identified
from handbill.contract.rules.runs import EntityName, PlacementPublisher, level_told
from handbill.core.nouns import Client
from handbill.core.standing.tree import HeldByRule
from handbill.groups.service import groups_by_number
from handbill.jobs.service import refs_of
from handbill.store.records import Tx
from handbill.wire.fields import Instant
from handbill.wire.models import Model


class RuleHold(Identified):
    """An entity that a rule keeps from being listed."""

    rule_id: str = Field(alias="ruleId", description="The rule.")
    rule_name: str = Field(alias="ruleName", description="Its name.")
    run_id: str = Field(alias="runId", description="The run that placed the hold.")
    level: str = Field(description="CLIENT, CAMPAIGN, JOBGROUP, PLACEMENT or JOB.")
    entity_id: str = Field(
        alias="entityId", description="Id of the entity. For a placement: the job group's id."
    )
    name: EntityName
    publisher_id: PlacementPublisher
    since_at: Instant = Field(alias="since", description="When the hold began.")


class RuleHolds(Model):
    """All holds of a client's rules, oldest first."""

    rows: list[RuleHold] = Field(alias="data", description="The holds.")


def holds_told(tx: Tx, client: Client, some: Sequence[HeldByRule]) -> RuleHolds:
    names = _names(tx, client, some)
    return RuleHolds.of(
        rows=[
            RuleHold.of(one, level=level_told(one.kind), name=names.get(one.entity_id, ""))
            for one in some
        ]
    )


def _names(tx: Tx, client: Client, some: Sequence[HeldByRule]) -> Mapping[str, str]:
    """The names of what is held, by id."""
    nos: dict[str, list[int]] = {"campaign": [], "group": [], "placement": []}
    jobs = [one.entity_id for one in some if one.kind == "job"]
    for one in some:
        if one.kind in nos:
            nos[one.kind].append(int(one.entity.partition("/")[0]))
    names = {client.id: client.body.company_name} | refs_of(tx, client.no, jobs)
    names |= {it.id: it.body.name for it in campaigns_by_number(tx, nos["campaign"]).values()}
    groups = groups_by_number(tx, nos["group"] + nos["placement"])
    return names | {it.id: it.body.name for it in groups.values()}
