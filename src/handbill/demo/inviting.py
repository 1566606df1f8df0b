"""The demo's own person, who signs in to the pages."""

from handbill.access.service import agency_of
from handbill.demo.past import AGENCY
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.opening import opened
from handbill.people import invitations
from handbill.people import service as people
from handbill.people.service import New

MAIL = "owner@demo.example"


def invited(settings: Settings, outside: Outside, api: str) -> str:
    """A link by which the demo's owner sets a password and signs in: good once, for 48 hours."""
    now = outside.clock.now()
    with opened(settings, outside) as stores, stores.records.write() as tx:
        agency_no = agency_of(tx, AGENCY).no
        owner = people.person_with_mail(tx, MAIL, agency_no, None)
        if owner is None:
            owner = people.add(tx, outside.ids, now, New(MAIL, "OWNER", agency_no, name="Demo"))
        return invitations.link_of(api, invitations.invite(tx, outside.ids, now, owner))
