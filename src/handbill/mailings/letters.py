"""What the mails say: figures and causes as texts."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlsplit

from handbill.core.mailings import Alert
from handbill.core.metrics import Sums, finished_as, finished_for_employers
from handbill.core.needs import Cause
from handbill.kit.figures import average, change, money, number
from handbill.kit.instants import iso_of
from handbill.mail.composing import plain
from handbill.mail.service import Items, Letter, MailTable
from handbill.stats.needs import Need
from handbill.stats.weeks import AgencyWeek, ClientWeek

_MOST_LINES: Final = 50
_MOST_IN_SUBJECT: Final = 120
_NAMES: Final = ("spent", "clicks", "applies", "cpa")
_HEADS: Final = ("Client", "Spend", "Change", "Clicks", "Applies", "CPA")


def report(week: AgencyWeek, monday: date, address: str, end: str, *, for_employer: bool) -> Letter:
    """The report of a week. ``end``: the page that ends these reports."""
    finish = finished_for_employers if for_employer else finished_as
    spent, clicks, applies, cpa = (finish(name) for name in _NAMES)

    def figures(sums: Sums, before: Sums) -> tuple[str, ...]:
        return (
            money(spent(sums), week.currency),
            change(spent(sums), spent(before)),
            number(clicks(sums)),
            number(applies(sums)),
            average(cpa(sums), week.currency) if applies(sums) else average(None, week.currency),
        )

    ranked = sorted(week.lines, key=lambda one: (-spent(one.sums), one.client.no))
    rows = [
        (one.client.body.company_name, *figures(one.sums, one.before))
        for one in ranked[:_MOST_LINES]
    ]
    total = figures(week.total, week.before)
    if len(ranked) > 1:
        rows.append(("All clients", *total))
    days = f"{monday.isoformat()} to {(monday + timedelta(days=6)).isoformat()}"
    return Letter(
        subject=f"Weekly report: {total[0]} spent from {days}",
        lines=_sentences(days, total, ranked),
        parts=[MailTable(f"Week of {days}", _HEADS, rows)] if rows else (),
        link=("Open Handbill", f"{address}/app"),
        why="You get this mail because you chose the weekly report in your account.",
        end=end,
    )


def digest(found: Sequence[Need], day: date, address: str, end: str) -> Letter:
    """What needs somebody. ``end``: the page that ends these digests."""
    assert found, "where nothing needs anybody, nothing is mailed"
    shown = found[:_MOST_LINES]
    by_cause: dict[Cause, list[str]] = {}
    for one in shown:
        by_cause.setdefault(one.cause, []).append(need_told(one))
    things = "1 thing needs" if len(found) == 1 else f"{len(found)} things need"
    opening = [f"{things} you on {day.isoformat()}."]
    if len(shown) < len(found):
        opening.append(f"The newest {len(shown)} of them:")
    return Letter(
        subject=f"Daily digest: {things} you",
        lines=opening,
        parts=[
            Items(cause.replace("_", " ").capitalize(), lines) for cause, lines in by_cause.items()
        ],
        link=("Open Handbill", f"{address}/app"),
        why="You get this mail because you chose the daily digest in your account.",
        end=end,
    )


def alerts(new: Sequence[Alert], address: str, end: str) -> Letter:
    """Causes that have come. ``end``: the page that ends these alerts."""
    assert new, "where nothing has come, nothing is mailed"
    listed = [one.words for one in new[:_MOST_LINES]]
    more = f" and {len(new) - 1} more" if len(new) > 1 else ""
    opening = ["You are told of each once, until it has gone and come again."]
    if len(listed) < len(new):
        opening.append(f"Only {len(listed)} of {len(new)} are listed here.")
    return Letter(
        subject=f"Alert: {plain(listed[0], _MOST_IN_SUBJECT)}{more}",
        lines=opening,
        parts=[Items("Alerts", listed)],
        link=("Open Handbill", f"{address}/app"),
        why="You get this mail because you chose alerts in your account.",
        end=end,
    )


def need_told(one: Need) -> str:
    """A need in one line. Of an address nothing behind its path is told: it may be a secret."""
    name = one.name
    if one.kind in {"FEED", "CALLBACK"}:
        parts = urlsplit(name)
        name = f"{parts.hostname or ''}{parts.path}"
    of = f"{one.client.body.company_name}, " if one.client and one.kind != "CLIENT" else ""
    return f"{of}{name}: {one.words} (since {iso_of(one.since_at)[:16].replace('T', ' ')} UTC)"


def _sentences(days: str, total: Sequence[str], ranked: Sequence[ClientWeek]) -> list[str]:
    if not ranked:
        return [f"Nothing came from {days}, nor in the week before."]
    spend, more, clicks, applies, cpa = total
    of = "click" if clicks == "1" else "clicks", "apply" if applies == "1" else "applies"
    figures = f"From {days}, {spend} was spent for {clicks} {of[0]} and {applies} {of[1]}."
    sentences = [
        f"{figures} An apply cost {cpa}. Change of spend to the week before: {more}.",
        "Days are those of each client's zone. Figures may still change: conversions come late.",
    ]
    if len(ranked) > _MOST_LINES:
        sentences.append(f"The {_MOST_LINES} clients with the most spend, of {len(ranked)}:")
    unfinished = [one.client.body.company_name for one in ranked if not one.is_over]
    if unfinished:
        others = f" and {len(unfinished) - 5} more" if len(unfinished) > 5 else ""
        sentences.append(
            f"The week is not over yet in the zone of {', '.join(unfinished[:5])}{others}."
        )
    return sentences
