"""How figures are written: exact numbers in, text out. Nothing is added up here."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from handbill.kit import figures
from handbill.kit.figures import NONE as _NONE
from handbill.kit.figures import Number
from handbill.kit.instants import moment_of
from handbill.kit.jsons import encode

money, average, number, change = figures.money, figures.average, figures.number, figures.change
counted = figures.counted
_HOUR = 60
CLICK_CLASSES = {
    "clicks": "Valid",
    "botClicks": "Bot",
    "duplicateClicks": "Duplicate",
    "foreignClicks": "Foreign",
    "latentClicks": "Latent",
    "overCapClicks": "Over cap",
}
"""Clicks by what they were: by metric, its name."""
_PAID_BY = {"FLAT_CPC": "Flat CPC", "PPP": "Per posting"}


def bytes(value: int | None) -> str:  # noqa: A001 - the filter's name
    """A size, in the largest unit of which it has one."""
    if value is None:
        return _NONE
    size, unit = Decimal(value), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{number(size, 1 if size < 100 else 0)} {unit}"


def percent(value: Number | None, places: int = 1) -> str:
    """A share that is told in percent: 12.5 is 12.5 %."""
    return _NONE if value is None else f"{number(value, places)} %"


def share(part: Number | None, whole: Number | None) -> Decimal | None:
    """A part in percent of the whole; None where there is no whole."""
    return 100 * Decimal(part) / Decimal(whole) if part is not None and whole else None


def instant(micros: Any) -> str:
    """An instant, to the minute, in UTC."""
    return moment_of(micros).strftime("%Y-%m-%d %H:%M UTC") if micros else _NONE


def moment(micros: Any) -> str:
    """An instant as the API reads it, in UTC."""
    return moment_of(micros).isoformat().replace("+00:00", "Z")


def when(text: str | None) -> str:
    """An instant of the API, to the minute."""
    return f"{text[:10]} {text[11:16]} UTC" if text else _NONE


def expected(text: str | None, last: str | None, minutes: int | None) -> str:
    """When the next fetch is expected, as the API tells it; or when it was, if that is past: an
    interval after the last one. The API tells a later instant then. ``minutes``: the interval.
    """
    if not text or not last or not minutes:
        return when(text)
    due = datetime.fromisoformat(last) + timedelta(minutes=minutes)
    if datetime.fromisoformat(text) - due <= timedelta(minutes=1):
        return when(text)
    return f"was expected {when(due.isoformat())}"


def sentence(text: str) -> str:
    """A phrase of the API as a sentence."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def words(code: str) -> str:
    """A code of the API in words: PARENT_CAPPED is Parent capped."""
    return code.replace("_", " ").capitalize().replace("Api ", "API ")


def paid_by(code: str) -> str:
    """What a publisher is paid for."""
    return _PAID_BY.get(code, code)


def every(minutes: int | None) -> str:
    """How often something happens: 361 minutes is 6 h 1 min."""
    if minutes is None:
        return _NONE
    hours, rest = divmod(minutes, _HOUR)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def lasting(seconds: int) -> str:
    """How long something lasts: 86400 seconds are 24 h."""
    return f"{seconds} s" if seconds % 60 else every(seconds // 60)


def day(text: str | None) -> str:
    """A day of the API, as days are written everywhere on pages."""
    return day_of(text).isoformat() if text else _NONE


def raw(value: Any) -> str:
    """A value as the API tells it; what has several parts as JSON."""
    if value is None or value == "":
        return _NONE
    return encode(value).decode() if isinstance(value, dict | list | bool) else str(value)


def fix_words(fix: Any, currency: str) -> str:
    """What a request that removes a reason does. ``currency``: of its amounts."""
    path, body = fix["path"], fix.get("body") or {}
    if path.endswith("/run"):
        return "Import it now"
    if path.endswith("/send-again"):
        return "Send it again"
    if path.endswith("/enable") or path == "/rules/status":
        return "Enable it"
    if path.endswith("/lift"):
        return "Lift the hold"
    budget = (body.get("caps") or {}).get("budget") or {}
    if "value" in budget:
        return f"Raise the budget to {money(budget['value'], currency)}"
    if "caps" in body:
        return "Raise the cap"
    return f"Set the end to {day(body['endDate'])}" if "endDate" in body else "Change it"


def against(pace: Number | None) -> str:
    """What was spent beside what should have been by now; ``pace``: the first in percent of it."""
    if pace is None:
        return "It is too early to say whether spend is on plan."
    off = Decimal(pace) - 100
    if abs(off) < 1:
        return "Spend is on plan."
    side = "over" if off > 0 else "under"
    return f"Spend is {number(abs(off))} % {side} plan."


def course_of(cap: Any) -> str:
    """How a budget runs, in one sentence; ``cap``: as the API tells it."""
    if cap["used"] >= cap["value"]:
        return f"The {cap['period'].lower()} budget is used up."
    return against(cap["pace"])


def days_back(last: str, count: int) -> list[str]:
    """So many days, the last one first, as ISO text. ``last``: as the API tells days."""
    day = day_of(last)
    return [(day - timedelta(days=back)).isoformat() for back in range(count)]


def day_of(text: str) -> date:
    """A day as the API tells it: 11/28/2026."""
    return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 - a day has no zone
