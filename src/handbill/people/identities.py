"""Who a person is to the agency's provider, and who is let in by it."""

from typing import NamedTuple

from handbill.changes import service as changes
from handbill.core.oidc import Provider, TokenHolder, is_let_in
from handbill.core.persons import Person, PersonRole
from handbill.core.trail import TrailEntity
from handbill.host.ids import Ids, new_person_id
from handbill.kit.faults import Refused
from handbill.kit.instants import Instant
from handbill.people import provider_rows, rows, service
from handbill.people.oidc import LASTS, Failed, SignInFlow
from handbill.store.records import Tx


class ClaimedRole(NamedTuple):
    """Where a claim puts a person: a role, with an EMPLOYER's clients or a PUBLISHER's family."""

    role: PersonRole
    client_nos: tuple[int, ...] = ()
    family_no: int | None = None


def check_first(tx: Tx, flow: SignInFlow) -> None:
    """**Refuses** (Failed) a sign-in that was finished before."""
    if provider_rows.is_finished(tx, flow.digest):
        raise Failed("the sign-in was finished before")


def finish(tx: Tx, flow: SignInFlow, provider: Provider) -> None:
    """Let nobody finish this sign-in again; from here on, the provider's sign-ins come one after
    another. **Refuses** (Failed) one that was finished before, and a provider that was changed.
    """
    provider_rows.lock(tx, provider.no)
    if provider_rows.provider(tx, provider.agency_no) != provider:
        raise Failed("the provider was changed meanwhile")
    check_first(tx, flow)
    provider_rows.finish(tx, flow.digest, flow.since + LASTS)


def entered(
    tx: Tx, ids: Ids, now: Instant, provider: Provider, said: TokenHolder, place: ClaimedRole | None
) -> Person:
    """The person who signs in, with the role of its place; None: with the role that it has.

    **Refuses** (Failed) somebody new without a verified address of a domain that is let in; one
    whose address is a person's whom the provider knows by another subject; one who was neither
    invited nor may be added; another place than before; and another role for the last owner.
    """
    body, agency_no = provider.body, provider.agency_no
    no = provider_rows.person_no(tx, agency_no, body.issuer, said.subject)
    if no is not None:
        return _placed(tx, now, service.person_numbered(tx, no), agency_no, place)
    if not is_let_in(body, said.mail):
        raise Failed("there is no verified mail address that is let in")
    family_no = None if place is None else place.family_no
    person = service.person_with_mail(tx, said.mail, agency_no, family_no)
    if person is None:
        if not body.creates or place is None:
            raise Failed("nobody of that mail address was invited")
        made = new_person_id(ids)
        tx.occasion = tx.occasion._replace(actor_id=made)
        new = service.New(
            said.mail, place.role, agency_no, family_no, place.client_nos, said.name, made
        )
        person = service.add(tx, ids, now, new)
    elif body.issuer in provider_rows.issuers_of(tx, person.no):
        raise Failed("the mail address is of a person with another subject")
    tx.occasion = tx.occasion._replace(actor_id=person.id)
    provider_rows.identify(tx, agency_no, body.issuer, said.subject, person.no)
    rows.drop_links(tx, person.no)
    known = {"issuer": body.issuer, "subject": said.subject}
    entity = TrailEntity("PERSON", person.id, agency_no)
    changes.tell(tx, now, entity, {"identity": None}, {"identity": known})
    return _placed(tx, now, person, agency_no, place)


def _placed(
    tx: Tx, now: Instant, person: Person, agency_no: int, place: ClaimedRole | None
) -> Person:
    tx.occasion = tx.occasion._replace(actor_id=person.id)
    if place is None:
        return person
    if (person.agency_no, person.family_no) != (agency_no, place.family_no):
        raise Failed("the role belongs to another place than the person")
    nos = frozenset(place.client_nos)
    if person.role == place.role and rows.clients_of(tx, person.no) == nos:
        return person
    try:
        given = {"role": place.role, "client_nos": sorted(nos)}
        service.change(tx, now, person, given)
    except Refused as refused:
        raise Failed(f"the role cannot be given: {refused.faults[0].message}") from refused
    return service.person_numbered(tx, person.no)
