"""What is due to be mailed to whom, by what the person may see, and written once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

from msgspec import structs

from handbill.access.keys import secret
from handbill.clients import service as clients
from handbill.core.mailings import (
    Choices,
    Mailing,
    MailMarks,
    counted,
    digest_due,
    fresh,
    report_due,
)
from handbill.core.persons import OF_AGENCIES, Person
from handbill.host.ids import Ids
from handbill.host.settings import Settings
from handbill.kit.instants import Instant
from handbill.kit.mails import is_mail
from handbill.mail import service as mail
from handbill.mail.service import Letter, Recipient
from handbill.mailings import alerts, ends, letters
from handbill.mailings.alerts import Paces
from handbill.people import choices as choosing
from handbill.people import service as people
from handbill.people.choices import PersonChoices
from handbill.stats import needs, weeks
from handbill.stats.needs import Need
from handbill.store.records import Tx

_WEEK: Final = timedelta(days=7)
_MOST_NEEDS: Final = 10_000
_EndOf = Callable[[Mailing], str]


class MailView(NamedTuple):
    """What a person's mails are about. ``seen``: the only clients that it may see, None: all of the
    agency; ``only``: those of them that it has chosen.
    """

    agency_no: int
    seen: frozenset[int] | None
    only: frozenset[int] | None

    @property
    def for_employer(self) -> bool:
        """Whether it is told what an employer may know: no bid, no price, no margin."""
        return self.seen is not None


@dataclass
class DueMails:
    """Mails to a person, and what to note once they are written: the marks, and of which causes it
    is alerted (``new``), or was and they have ``gone``.
    """

    person: Person
    chosen: PersonChoices
    view: MailView
    marks: MailMarks
    written: list[tuple[Mailing, Letter]] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def is_anything_due(chosen: PersonChoices, now: Instant) -> bool:
    """Whether it is time for a report or a digest."""
    wanted, marks = chosen.choices, chosen.marks
    return any(of(wanted, marks, now) is not None for of in (report_due, digest_due))


def due(
    tx: Tx, person_id: str, settings: Settings, now: Instant, paces: Paces | None = None
) -> DueMails | None:
    """What is due to a person, written from the records of one moment; None: nothing is.
    ``paces``: by which alerts are looked for too.
    """
    known = choosing.chosen(tx, person_id)
    if known is None or not may_be_mailed(known[0]):
        return None
    person, chosen = known
    made = DueMails(person, chosen, view_of(tx, person, chosen.choices), chosen.marks)
    keys = secret(tx, ends.KEY)

    def end_of(mailing: Mailing) -> str:
        return ends.link_of(settings.public_api, ends.token_of(person.no, mailing, keys))

    _add_report(tx, made, settings, now, end_of)
    needs_of: list[Need] | None = None
    wanted = chosen.choices
    day = digest_due(wanted, made.marks, now)
    of_needs = (wanted.feed_failed, wanted.rule_paused, wanted.not_fetched)
    if day is not None or (paces is not None and any(of_needs)):
        needs_of = needed(tx, made.view, now)
    if day is not None and needs_of is not None:
        if needs_of:
            letter = letters.digest(needs_of, day, settings.public_api, end_of("DIGEST"))
            made.written.append(("DIGEST", letter))
        made.marks = structs.replace(made.marks, digest_on=day.isoformat())
    if paces is not None:
        _add_alerts(tx, made, needs_of or [], settings, paces, end_of)
    is_any = made.marks != chosen.marks or made.gone
    return made if is_any else None


def _add_report(tx: Tx, made: DueMails, settings: Settings, now: Instant, end_of: _EndOf) -> None:
    monday = report_due(made.chosen.choices, made.marks, now)
    if monday is None:
        return
    view, first = made.view, monday - _WEEK
    week = weeks.week_of(tx, view.agency_no, first, now, view.only)
    letter = letters.report(
        week, first, settings.public_api, end_of("WEEKLY"), for_employer=view.for_employer
    )
    made.written.append(("WEEKLY", letter))
    made.marks = structs.replace(made.marks, weekly_on=monday.isoformat())


def _add_alerts(
    tx: Tx, made: DueMails, found: list[Need], settings: Settings, paces: Paces, end_of: _EndOf
) -> None:
    wanted, alerted, now = made.chosen.choices, choosing.alerted(tx, made.person.no), paces.now
    some = list(alerts.of_needs(wanted, found))
    if wanted.no_applies_days or wanted.under_pace_percent:
        every = clients.of_agency(tx, made.view.agency_no, made.view.only)
        here = [one for one in every if one.status == "A"]
        if wanted.no_applies_days:
            some += alerts.without_applies(tx, here, wanted.no_applies_days, now)
        percent = wanted.under_pace_percent
        if percent and not made.view.for_employer:
            some += alerts.under_pace(tx, here, percent, alerted, paces)
    made.gone = sorted(alerted - {one.key for one in some})
    new = fresh(some, alerted)
    marks = counted(wanted, made.marks, now) if new else None
    if marks is not None:
        letter = letters.alerts(new, settings.public_api, end_of("ALERTS"))
        made.written.append(("ALERTS", letter))
        made.marks, made.new = marks, [one.key for one in new]


def write(tx: Tx, ids: Ids, now: Instant, settings: Settings, made: DueMails) -> bool:
    """Have what is due mailed, once; False: something has changed since it was written, so that
    nothing is mailed, and all of it is still due.
    """
    held = choosing.held(tx, made.person.id)
    if held != (made.person, made.chosen):
        return False
    if view_of(tx, made.person, made.chosen.choices) != made.view:
        return False
    to = Recipient(made.person.no, made.view.agency_no, made.person.mail)
    for mailing, letter in made.written:
        mail.write(tx, ids, now, settings, to, letter, kind=mailing)
    choosing.mark(tx, made.chosen, made.marks)
    choosing.note_alerts(tx, now, made.person.no, made.new, made.gone)
    return True


def may_be_mailed(person: Person) -> bool:
    """Whether a person works in an agency, and has an address that mails reach."""
    is_there = person.role in OF_AGENCIES and person.agency_no is not None
    return is_there and is_mail(person.mail)


def view_of(tx: Tx, person: Person, choices: Choices) -> MailView:
    """What a person's mails are about, as its rights are now."""
    assert person.agency_no is not None, "it works in an agency"
    only = seen = people.seen_by(tx, person)
    if choices.clients is not None:
        chosen = (clients.find_client(tx, person.agency_no, one) for one in choices.clients)
        named = frozenset(one.no for one in chosen if one is not None)
        only = named if seen is None else named & seen
    return MailView(person.agency_no, seen, only)


def needed(tx: Tx, view: MailView, now: Instant) -> list[Need]:
    """What needs the person, newest first. What is the agency's own, such as a publisher, is told
    whatever clients were chosen; a feed that has failed, also while it is imported again: else
    each run would end the cause for a moment.
    """
    every, _ = needs.needs(tx, view.agency_no, 0, _MOST_NEEDS, now, view.seen, retried_too=True)
    return [
        one
        for one in every
        if one.client is None or view.only is None or one.client.no in view.only
    ]
