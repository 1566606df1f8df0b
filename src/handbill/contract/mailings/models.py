"""What a person wants to be mailed, as it is read and told."""

from typing import Annotated

from pydantic import Field, StringConstraints

from handbill.contract.envelopes import Done
from handbill.core.mailings import Mailing
from handbill.wire.fields import Distinct, Id, Whole, Zone
from handbill.wire.models import Model

_ZONE = "The zone of its days and hours. Default: UTC."
_HOUR = "From which hour of the day its mails are sent, 0 to 23. Default: 7."
_WEEKLY = "Whether it gets the report of the week before on Monday: spend, clicks, applies, CPA."
_DIGEST = (
    "Whether it gets what needs somebody once a day, as GET /needs; nothing on days without any."
)
_PACE = (
    "It is alerted when the pace of a client's own budget is below this percentage; null: not. Not "
    "for an EMPLOYER."
)
_APPLIES = (
    "It is alerted when so many days, today included, brought a client clicks and no apply; null: "
    "not."
)
_FEED = "Whether it is alerted when the last run of a feed has failed."
_RULE = "Whether it is alerted when a rule is paused. Not for an EMPLOYER."
_FETCH = (
    "Whether it is alerted when a publisher has not fetched its feed when it was expected to, or a "
    "feed cannot be delivered to it. Not for an EMPLOYER."
)
_CLIENTS = (
    "Ids of the only clients that its mails are about. Null: all that it may see. What is the "
    "agency's own, such as a publisher, is told in any case, but not to an EMPLOYER."
)


class Mails(Model):
    """What the person has chosen to be mailed. By default it gets nothing."""

    is_on: bool = Field(
        alias="mailServer", description="Whether this installation can send mails at all."
    )
    zone: str = Field(description=_ZONE)
    hour: int = Field(description=_HOUR)
    weekly: bool = Field(alias="weeklyReport", description=_WEEKLY)
    digest: bool = Field(alias="dailyDigest", description=_DIGEST)
    under_pace_percent: int | None = Field(alias="underPaceAlert", description=_PACE)
    no_applies_days: int | None = Field(alias="noAppliesAlert", description=_APPLIES)
    feed_failed: bool = Field(alias="feedFailedAlert", description=_FEED)
    rule_paused: bool = Field(alias="rulePausedAlert", description=_RULE)
    not_fetched: bool = Field(alias="notFetchedAlert", description=_FETCH)
    clients: list[str] | None = Field(description=_CLIENTS)


class MailsChange(Model):
    zone: Zone | None = Field(None, description=f"{_ZONE} Null: the default.")
    hour: Annotated[int, Whole(0, 23)] | None = Field(
        None, description=f"{_HOUR} Null: the default."
    )
    weekly: bool | None = Field(None, alias="weeklyReport", description=_WEEKLY)
    digest: bool | None = Field(None, alias="dailyDigest", description=_DIGEST)
    under_pace_percent: Annotated[int, Whole(1, 99)] | None = Field(
        None, alias="underPaceAlert", description=_PACE
    )
    no_applies_days: Annotated[int, Whole(1, 90)] | None = Field(
        None, alias="noAppliesAlert", description=_APPLIES
    )
    feed_failed: bool | None = Field(None, alias="feedFailedAlert", description=_FEED)
    rule_paused: bool | None = Field(None, alias="rulePausedAlert", description=_RULE)
    not_fetched: bool | None = Field(None, alias="notFetchedAlert", description=_FETCH)
    clients: Distinct[Id] | None = Field(None, max_length=1_000, description=_CLIENTS)


class MailsEnd(Model):
    token: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="The token of the link in the mail."
    )


class MailsEnded(Done):
    """Confirmation."""

    mailing: Mailing = Field(
        alias="mails",
        description="What is not mailed any more. WEEKLY: the weekly report. DIGEST: the daily "
        "digest. ALERTS: all alerts.",
    )
