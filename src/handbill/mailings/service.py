"""What is due to be mailed to whom, by what the person may see, and written once."""

from datetime import timedelta
from typing import Final, NamedTuple

from msgspec import structs

from handbill.access.keys import secret
from handbill.clients import service as clients
from handbill.core.mailings import Choices, Mailing, Marks, digest_due, report_due
from handbill.core.persons import OF_AGENCIES, Person
from handbill.host.ids import Ids
from handbill.host.settings import Settings
from handbill.kit.instants import Instant
from handbill.kit.mails import is_mail
from handbill.mail import service as mail
from handbill.mail.service import Letter, Recipient
from handbill.mailings import ends, letters
from handbill.people import choices as choosing
from handbill.people import service as people
from handbill.people.choices import Chosen
from handbill.stats import needs, weeks
from handbill.stats.needs import Need
from handbill.store.records import Tx

_WEEK: Final = timedelta(days=7)
_MOST_NEEDS: Final = 2_000


class View(NamedTuple):
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


class Due(NamedTuple):
    """Mails to a person, and what to note once they are written."""

    person: Person
    chosen: Chosen
    view: View
    written: list[tuple[Mailing, Letter]]
    marks: Marks


def is_anything_due(chosen: Chosen, now: Instant) -> bool:
    """Whether it is time to look closer."""
    wanted, marks = chosen.choices, chosen.marks
    return any(of(wanted, marks, now) is not None for of in (report_due, digest_due))


def due(tx: Tx, person_id: str, settings: Settings, now: Instant) -> Due | None:
    """What is due to a person, written from the records of one moment; None: nothing is."""
    known = choosing.chosen(tx, person_id)
    if known is None or not may_be_mailed(known[0]):
        return None
    person, chosen = known
    view = view_of(tx, person, chosen.choices)
    written: list[tuple[Mailing, Letter]] = []
    marks = chosen.marks
    monday = report_due(chosen.choices, marks, now)
    if monday is not None:
        week = weeks.week_of(tx, view.agency_no, monday - _WEEK, now, view.only)
        end = _end_of(tx, person, "WEEKLY", settings)
        letter = letters.report(
            week, monday - _WEEK, settings.public_api, end, for_employer=view.for_employer
        )
        written.append(("WEEKLY", letter))
        marks = structs.replace(marks, weekly_on=monday.isoformat())
    day = digest_due(chosen.choices, marks, now)
    if day is not None:
        found = needed(tx, view, now)
        if found:
            end = _end_of(tx, person, "DIGEST", settings)
            written.append(("DIGEST", letters.digest(found, day, settings.public_api, end)))
        marks = structs.replace(marks, digest_on=day.isoformat())
    return None if marks == chosen.marks else Due(person, chosen, view, written, marks)


def write(tx: Tx, ids: Ids, now: Instant, settings: Settings, made: Due) -> bool:
    """Have what is due mailed, once; False: something has changed since it was written, so that
    nothing is mailed, and all of it is still due.
    """
    found = choosing.held(tx, made.person.id)
    if found != (made.person, made.chosen):
        return False
    if view_of(tx, made.person, made.chosen.choices) != made.view:
        return False
    to = Recipient(made.person.no, made.view.agency_no, made.person.mail)
    for mailing, letter in made.written:
        mail.write(tx, ids, now, settings, to, letter, kind=mailing)
    choosing.mark(tx, made.chosen, made.marks)
    return True


def may_be_mailed(person: Person) -> bool:
    """Whether a person works in an agency, and has an address that mails reach."""
    is_there = person.role in OF_AGENCIES and person.agency_no is not None
    return is_there and person.password is not None and is_mail(person.mail)


def view_of(tx: Tx, person: Person, choices: Choices) -> View:
    """What a person's mails are about, as its rights are now."""
    assert person.agency_no is not None, "it works in an agency"
    only = seen = people.seen_by(tx, person)
    if choices.clients is not None:
        found = (clients.find_client(tx, person.agency_no, one) for one in choices.clients)
        named = frozenset(one.no for one in found if one is not None)
        only = named if seen is None else named & seen
    return View(person.agency_no, seen, only)


def needed(tx: Tx, view: View, now: Instant) -> list[Need]:
    """What needs the person, newest first. What is the agency's own, such as a publisher, is told
    whatever clients were chosen.
    """
    found, _ = needs.needs(tx, view.agency_no, 0, _MOST_NEEDS, now, view.seen)
    return [
        one
        for one in found
        if one.client is None or view.only is None or one.client.no in view.only
    ]


def _end_of(tx: Tx, person: Person, mailing: Mailing, settings: Settings) -> str:
    token = ends.token_of(person.no, mailing, secret(tx, ends.KEY))
    return ends.link_of(settings.public_api, token)
