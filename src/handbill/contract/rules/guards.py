"""Guards of a rule, as they are read and told. **Source**: docs/decisions/0057."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from handbill.core import rule_conditions as core
from handbill.kit.faults import Fault
from handbill.wire.fields import Money, Percent, Whole
from handbill.wire.models import Model
from handbill.wire.wrong import Wrong


class RuleGuards(Model):
    makes = core.Guards
    least_clicks: Annotated[int, Whole(0, 1_000_000)] = Field(
        20,
        alias="minClicks",
        description="Minimum number of clicks before the rule acts on cpc, cpa or cta. "
        "Default: 20.",
    )
    least_spend_micros: Money = Field(
        core.Guards().least_spend_micros,
        alias="minSpend",
        description="Minimum spend before the rule acts on cpc, cpa or cta. Default: 1.",
    )
    maturity_ppm: Annotated[int, Percent()] = Field(
        core.Guards().maturity_ppm,
        alias="minMaturity",
        description="Before the rule acts on cpa or cta: the percentage of the days' applies that "
        "must have arrived, judged by how the client's earlier applies arrived. Default: 80.",
    )
    cooldown_hours: Annotated[int, Whole(0, 720)] = Field(
        6,
        alias="coolDownHours",
        description="Minimum number of hours after any rule's last act on the same entity. "
        "Default: 6.",
    )
    acts_a_day: Annotated[int, Whole(1, 100)] = Field(
        3,
        alias="maxActsPerDay",
        description="Maximum number of acts per day of all rules on the same entity. Default: 3.",
    )
    change_ppm: Annotated[int, Percent()] = Field(
        core.Guards().change_ppm,
        alias="maxChange",
        description="Maximum change of a budget or bid by one act, in percent. Default: 50.",
    )
    share_ppm: Annotated[int, Percent()] = Field(
        core.Guards().share_ppm,
        alias="maxShare",
        description="Maximum percentage of the entities that one run may act on; always at least "
        "one. Default: 20.",
    )
    min_bid_micros: Money = Field(
        0, alias="minBid", description="Bids are not lowered below it. Default: 0."
    )
    max_bid_micros: Money | None = Field(
        None,
        alias="maxBid",
        description="Bids are not raised above it. Null: no bound. Default: null.",
    )
    min_budget_micros: Money = Field(
        0, alias="minBudget", description="Budgets are not lowered below it. Default: 0."
    )
    max_budget_micros: Money | None = Field(
        None,
        alias="maxBudget",
        description="Budgets are not raised above it. Null: no bound. Default: null.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        bounds = {
            "Bid": (self.min_bid_micros, self.max_bid_micros),
            "Budget": (self.min_budget_micros, self.max_budget_micros),
        }
        faults = [
            Fault(f"/max{what}", f"must not be less than min{what}")
            for what, (least, most) in bounds.items()
            if most is not None and most < least
        ]
        if faults:
            raise Wrong(*faults)
        return self
