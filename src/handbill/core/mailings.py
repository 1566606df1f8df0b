"""What a person has chosen to be mailed, and when it is due. Values only."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, get_args

import msgspec

from handbill.kit.instants import Instant, instant_of, moment_of
from handbill.kit.zones import zone_of

Mailing = Literal["WEEKLY", "DIGEST"]
"""WEEKLY: the report of a week, on the Monday after it. DIGEST: what needs somebody, once a day."""
MAILINGS: Final[tuple[Mailing, ...]] = get_args(Mailing)
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


class Choices(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``hour``: from which mails are due, in ``zone``. ``clients``: ids of the only ones that they
    are about; None: all that the person may see.
    """

    zone: str = "UTC"
    hour: int = 7
    weekly: bool = False
    digest: bool = False
    clients: tuple[str, ...] | None = None

    @property
    def mailings(self) -> frozenset[Mailing]:
        """The kinds of mails that are wanted."""
        wanted: dict[Mailing, bool] = {"WEEKLY": self.weekly, "DIGEST": self.digest}
        return frozenset(one for one, is_wanted in wanted.items() if is_wanted)


class Marks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person was mailed last. ``weekly_on``: the Monday of the last report, ``digest_on``:
    the day of the last digest; empty: none.
    """

    weekly_on: str = ""
    digest_on: str = ""


def without(choices: Choices, mailing: Mailing) -> Choices:
    """The same without one kind of mails."""
    less = {"WEEKLY": {"weekly": False}, "DIGEST": {"digest": False}}
    return msgspec.structs.replace(choices, **less[mailing])


def begun(marks: Marks, before: Choices, after: Choices, now: Instant) -> Marks:
    """The marks after a choice: what is chosen anew is due at its next time, not at once."""
    new = after.mailings - before.mailings
    if "WEEKLY" in new:
        marks = msgspec.structs.replace(marks, weekly_on=monday_of(after, now).isoformat())
    if "DIGEST" in new:
        marks = msgspec.structs.replace(marks, digest_on=day_begun(after, now).isoformat())
    return marks


def report_due(choices: Choices, marks: Marks, now: Instant) -> date | None:
    """The Monday whose report of the week before is due; None: it was mailed, or is not wanted."""
    monday = monday_of(choices, now)
    return monday if choices.weekly and _is_due(marks.weekly_on, monday, _WEEK) else None


def digest_due(choices: Choices, marks: Marks, now: Instant) -> date | None:
    """The day whose digest is due; None: it was looked at, or is not wanted."""
    day = day_begun(choices, now)
    return day if choices.digest and _is_due(marks.digest_on, day, _DAY) else None


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
    told = date.fromisoformat(told_on)
    return period > told or period < told - 2 * length
