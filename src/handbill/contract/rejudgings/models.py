"""Re-judging an open month. **Source**: domain 7.6, docs/decisions/0059."""

from typing import Annotated, Final, Literal

from pydantic import Field

from handbill.contract.envelopes import Identified, Page
from handbill.core import rejudging as core
from handbill.ledger.rejudgings import KeptRejudging
from handbill.wire.fields import Instant, Matching, Money
from handbill.wire.models import Model

_RULES: Final = ", ".join(core.UNKNOWABLE)
_MONTH: Final = r"20[0-9]{2}-(0[1-9]|1[0-2])"


class RejudgingAsked(Model):
    """Which month to judge again."""

    month: Annotated[str, Matching(_MONTH, "must be a month such as 2026-11", most=7)] = Field(
        description="The month in the client's time zone, such as 2026-11. It must not be closed."
    )
    only_looks: bool = Field(
        False,
        alias="validateOnly",
        description="Whether to only tell what would be corrected. Default: false.",
    )


class ClicksBecame(Model):
    """Clicks that were corrected in the same way."""

    former: str = Field(alias="from", description="What they were.")
    disposition: str = Field(alias="to", description="What they are now.")
    reason: str = Field(description="Why. Empty: they count now.")
    clicks: int = Field(description="Number of clicks.")


class ClicksLeft(Model):
    """Clicks that stay as they are: what a rule needs to judge them is no longer stored."""

    rule: str = Field(description=f"One of: {_RULES}.")
    clicks: int = Field(description="Number of clicks.")


class RejudgingOutcome(Model):
    """What judging the month again came to."""

    looked_at: int = Field(alias="clicks", description="Number of clicks that were looked at.")
    became: list[ClicksBecame] = Field(alias="corrected", description="What was corrected.")
    left: list[ClicksLeft] = Field(
        alias="unknown",
        description="Clicks left as they are, by the rule that could not judge them.",
    )
    applies: int = Field(
        description="Number of applies that were paid and are free now, or the other way round."
    )
    spend_micros: Money = Field(alias="spent", description="Change of spent. Negative: less.")
    charge_micros: Money = Field(alias="netSpent", description="Change of netSpent.")
    marked_micros: Money = Field(alias="markedUpSpent", description="Change of markedUpSpent.")
    is_more: bool = Field(
        alias="more", description="Whether there is more to correct. Judge the month again then."
    )


class Rejudged(Identified):
    """A month that was judged again, or is being judged."""

    month: str = Field(description="The month in the client's time zone.")
    only_looks: bool = Field(
        alias="validateOnly", description="Whether it only tells what would be corrected."
    )
    state: Literal["SUBMITTED", "SUCCESS", "FAILED"] = Field(
        alias="status", description="How far it is."
    )
    message: str | None = Field(description="Why it failed.")
    outcome: RejudgingOutcome | None = Field(description="What came of it. Null: not known yet.")
    created_at: Instant = Field(alias="createdOn", description="When it was asked for.")
    ended_at: Instant | None = Field(alias="endedOn", description="When it ended.")


class RejudgingPage(Page[Rejudged]):
    """The months of a client that were judged again, newest first."""


def outcome_told(one: core.MonthOutcome) -> RejudgingOutcome:
    left = [ClicksLeft.of(rule=rule, clicks=n) for rule, n in sorted(one.unknown.items())]
    return RejudgingOutcome.of(one, left=left)


def rejudged_told(one: KeptRejudging) -> Rejudged:
    return Rejudged.of(one, outcome=outcome_told(one.outcome[0]) if one.outcome else None)
