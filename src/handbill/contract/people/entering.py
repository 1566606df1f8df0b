"""The first password: by the link of an invitation, or of the installation's set-up."""

from collections.abc import Callable
from dataclasses import replace

from handbill.access import service as access
from handbill.contract.people.factors import mind_codes, use_code
from handbill.contract.people.models import InvitationAccepted, SessionMade, SetUp, SetUpDone
from handbill.contract.people.routes import first_agency
from handbill.core.trail import Occasion
from handbill.http.kinds import Enter
from handbill.http.operations import Call, Operation
from handbill.kit.faults import Refused, refused_state
from handbill.people import invitations, passwords, providers, service, sessions

_OF_AGENCY = {"id": "agency_id", "name": "agency_name"}
"""What a body that also has a person calls the attributes of an agency."""


def _hash_invited(call: Call) -> Callable[[], str]:
    """The hash of the password that an invited person wants. **Refuses** bad links (404)."""
    person = invitations.invited(call.tx, call.now, call.body.link)
    if providers.is_only(call.tx, person.agency_no):
        raise refused_state(
            "", "people of this agency sign in by its own provider, not by password"
        )
    service.check_password(call.body.password, person.mail)
    mind_codes(call, person)
    return lambda: passwords.hashed(call.ids, call.body.password)


def _accept(call: Call) -> SessionMade:
    person = invitations.use(call.tx, call.now, call.body.link)
    call.tx.occasion = Occasion("PERSON", person.id, call.request_id, "accept_invitation")
    use_code(call, person, call.body.code)  # a link replaces a password, and no second factor
    service.set_password(call.tx, call.now, person, call.proved)
    place = first_agency(call) if person.role == "OPERATOR" else None
    secret = sessions.begin(call.tx, call.ids, call.now, person, place)
    return SessionMade.of(result=secret, message="Password set, and signed in")


def _hash_first(call: Call) -> Callable[[], str]:
    invitations.may_set_up(call.tx, call.now, call.body.link)
    service.check_password(call.body.password, call.body.mail)
    return lambda: passwords.hashed(call.ids, call.body.password)


def _set_up(call: Call) -> SetUpDone:
    tx, body = call.tx, call.body
    invitations.use_set_up(tx, call.now, body.link)
    api_key = api_client_id = None
    if access.agencies_of_all(tx):
        agency = access.agency_of(tx, body.agency_id)
    else:
        _, api_key, api_client_id = _agency_made(call)
        agency = access.agency_of(tx, body.agency_id)
    new = service.New(body.mail, "OWNER", agency.no, name=body.name)
    person = service.add(tx, call.ids, call.now, new)
    service.set_password(tx, call.now, person, call.proved)
    secret = sessions.begin(tx, call.ids, call.now, person, None)
    return SetUpDone.of(
        result=secret,
        message="Set up, and signed in",
        api_key=api_key,
        api_client_id=api_client_id,
    )


def _agency_made(call: Call) -> access.Credentials:
    """The first agency. **Refuses** (400) as ``create_agency`` does, by the names of this body."""
    body = call.body
    try:
        return access.create_agency(
            call.tx,
            call.ids,
            call.now,
            agency_id=body.agency_id,
            name=body.agency_name or body.agency_id,
            currency=body.currency,
        )
    except Refused as refused:
        faults = [
            replace(one, field=_OF_AGENCY.get(one.field, one.field)) for one in refused.faults
        ]
        raise Refused(refused.status, refused.message, faults) from None


_SESSION_SAMPLE = "hbs_k3v9x2m7q1zt_......."
OPERATIONS = [
    Operation(
        name="accept_invitation",
        verb="POST",
        path="/invitations/accept",
        title="Accept an invitation.",
        about="Sets the password of the person who has this link, ends the link and the person's "
        "sessions, and begins a session. Who uses a second factor sends a code too. A used, late "
        "or unknown link gets the same 404.",
        kind=Enter(),
        ahead=_hash_invited,
        work=_accept,
        body=InvitationAccepted,
        body_names=True,
        answer=SessionMade,
        sample={"link": "hbl_k3v9x2m7q1zt_.......", "password": "...................."},
        sample_answer={"result": _SESSION_SAMPLE, "message": "Password set, and signed in"},
    ),
    Operation(
        name="set_up",
        verb="POST",
        path="/set-up",
        title="Set the installation up.",
        about="Creates the first owner, and the agency if there is none, with the link that "
        "`handbill serve` prints while there are no people. The link is good once.",
        kind=Enter(),
        ahead=_hash_first,
        work=_set_up,
        body=SetUp,
        body_names=True,
        answer=SetUpDone,
        sample={
            "link": "hbl_k3v9x2m7q1zt_.......",
            "password": "....................",
            "mail": "ada@acme.example",
            "name": "Ada",
            "agencyId": "acme",
            "agencyName": "Acme Ads",
            "currency": "USD",
        },
        sample_answer={
            "result": _SESSION_SAMPLE,
            "message": "Set up, and signed in",
            "apiKey": "hb_k3v9x2m7q1zt_.......",
            "apiClientId": "l81n0sqr0la15s23g78h8aqaf",
        },
    ),
]
