"""The letter that brings a person the link by which it sets a password."""

from collections.abc import Iterable

from handbill.core.persons import Person
from handbill.host.ids import Ids
from handbill.host.settings import Settings
from handbill.kit.instants import Instant
from handbill.kit.mails import is_mail
from handbill.mail import service as mail
from handbill.mail.service import Letter, Recipient
from handbill.store.records import Tx

INVITATION = "INVITATION"


def mail_link(
    tx: Tx, ids: Ids, now: Instant, settings: Settings, person: Person, link: str
) -> bool:
    """Have a link mailed to its person, in place of a former one; False: this installation mails
    nothing, or not to such an address.
    """
    mail.drop(tx, now, person.no, kind=INVITATION)
    if not mail.is_on(settings) or not is_mail(person.mail):
        return False
    to = Recipient(person.no, person.agency_no, person.mail)
    mail.write(tx, ids, now, settings, to, _letter(settings, link), kind=INVITATION)
    return True


def last_mails(tx: Tx, people: Iterable[Person]) -> dict[int, mail.Mail]:
    """The latest mail with a link to each of these people, of the last two weeks; by number."""
    return mail.last_of(tx, (one.no for one in people), INVITATION)


def _letter(settings: Settings, link: str) -> Letter:
    return Letter(
        subject="Set your password for Handbill",
        lines=(
            f"Somebody who manages the Handbill at {settings.public_api} sent you this link.",
            "With it you set a password and sign in.",
            "The link is good once, for 48 hours. If you did not expect it, ignore this mail.",
        ),
        link=("Set your password", link),
        why="You get this mail once, because you were invited or asked for a new password.",
    )
