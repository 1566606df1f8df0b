"""What a person has chosen to be mailed, and when it is due. Values only."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from handbill.kit.instants import Instant, instant_of, moment_of
from handbill.kit.money import PPM
from handbill.kit.zones import day_of, zone_of

Mailing = Literal["WEEKLY", "DIGEST", "ALERTS"]
"""WEEKLY: the report of a week, on the Monday after it. DIGEST: what needs somebody, once a day.
ALERTS: causes that were chosen, as they come."""
MAILINGS: Final[tuple[Mailing, ...]] = get_args(Mailing)
MOST_ALERTS: Final = 5
"""How many mails of alerts a person gets a day; what comes later is told the next day."""
EASED_PERCENT: Final = 5
"""So far above the threshold pace must be before it can be told again."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


class Choices(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``hour``: from which mails are due, in ``zone``. ``clients``: ids of the only ones that they
    are about; None: all that the person may see. The others are alerts: ``under_pace_percent``,
    when a budget's pace is below it; ``no_applies_days``, when that many days, today included,
    brought clicks and no apply; None: not wanted.
    """

    zone: str = "UTC"
    hour: int = 7
    weekly: bool = False
    digest: bool = False
    under_pace_percent: int | None = None
    no_applies_days: int | None = None
    feed_failed: bool = False
    rule_paused: bool = False
    not_fetched: bool = False
    clients: tuple[str, ...] | None = None

    @property
    def mailings(self) -> frozenset[Mailing]:
        """The kinds of mails that are wanted."""
        wanted: dict[Mailing, bool] = {
            "WEEKLY": self.weekly,
            "DIGEST": self.digest,
            "ALERTS": any(getattr(self, name) for name in ALERTS),
        }
        return frozenset(one for one, is_wanted in wanted.items() if is_wanted)


ALERTS: Final = (
    "under_pace_percent",
    "no_applies_days",
    "feed_failed",
    "rule_paused",
    "not_fetched",
)
NOT_FOR_EMPLOYERS: Final = ("under_pace_percent", "rule_paused", "not_fetched")
"""Alerts that tell of the agency's plans, rules and publishers."""


class Alert(NamedTuple):
    """A cause at an entity, in words."""

    key: str
    words: str


class MailMarks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person was mailed last. ``weekly_on``: the Monday of the last report, ``digest_on``:
    the day of the last digest, ``alerts_on``: that of the last alerts, and ``alerts`` how many
    mails of them there were on it; empty: none.
    """

    weekly_on: str = ""
    digest_on: str = ""
    alerts_on: str = ""
    alerts: int = 0


def without(choices: Choices, mailing: Mailing) -> Choices:
    """The same without one kind of mails."""
    by_default, of = Choices(), {"WEEKLY": ("weekly",), "DIGEST": ("digest",), "ALERTS": ALERTS}
    less = {name: getattr(by_default, name) for name in of[mailing]}
    return msgspec.structs.replace(choices, **less)


def begun(marks: MailMarks, before: Choices, after: Choices, now: Instant) -> MailMarks:
    """The marks after a choice: what is chosen anew is due at its next time, not at once."""
    new = after.mailings - before.mailings
    if "WEEKLY" in new:
        marks = msgspec.structs.replace(marks, weekly_on=monday_of(after, now).isoformat())
    if "DIGEST" in new:
        marks = msgspec.structs.replace(marks, digest_on=day_begun(after, now).isoformat())
    return marks


def report_due(choices: Choices, marks: MailMarks, now: Instant) -> date | None:
    """The Monday whose report of the week before is due; None: it was mailed, or is not wanted."""
    monday = monday_of(choices, now)
    return monday if choices.weekly and _is_due(marks.weekly_on, monday, _WEEK) else None


def digest_due(choices: Choices, marks: MailMarks, now: Instant) -> date | None:
    """The day whose digest is due; None: it was looked at, or is not wanted."""
    day = day_begun(choices, now)
    return day if choices.digest and _is_due(marks.digest_on, day, _DAY) else None


def fresh(alerts: Sequence[Alert], told: Collection[str]) -> list[Alert]:
    """Those that were not told since they came."""
    return [one for one in alerts if one.key not in told]


def counted(choices: Choices, marks: MailMarks, now: Instant) -> MailMarks | None:
    """The marks with one mail of alerts more today; None: there were enough."""
    today = day_of(now, zone_of(choices.zone)).isoformat()
    alerts = marks.alerts if marks.alerts_on == today else 0
    if alerts >= MOST_ALERTS:
        return None
    return msgspec.structs.replace(marks, alerts_on=today, alerts=alerts + 1)


def is_under_pace(pace_ppm: int, percent: int, *, was_told: bool) -> bool:
    """Whether a budget's pace is below the threshold; once told, until it is clearly above."""
    return pace_ppm < (percent + (EASED_PERCENT if was_told else 0)) * PPM // 100


def monday_of(choices: Choices, now: Instant) -> date:
    """The latest Monday whose hour has come."""
    day = day_begun(choices, now)
    return day - day.weekday() * _DAY


def day_begun(choices: Choices, now: Instant) -> date:
    """The latest day whose hour has come, by the clocks of the person's zone."""
    zone = zone_of(choices.zone)
    today = moment_of(now).astimezone(zone).date()
    return today if _hour_of(today, choices.hour, zone) <= now else today - _DAY


def _hour_of(day: date, hour: int, zone: tzinfo) -> Instant:
    """Of an hour that comes twice on a day, the first; of one that is left out, the next one."""
    return instant_of(datetime.combine(day, time(hour), tzinfo=zone))


def _is_due(told_on: str, period: date, length: timedelta) -> bool:
    """Whether a period is later than the last one that was told. One far ahead was told by a wrong
    clock; one that is a little ahead, before a change of the zone.
    """
    if not told_on:
        return True
    last = date.fromisoformat(told_on)
    return period > last or period < last - 2 * length
