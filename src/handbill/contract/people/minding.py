"""How an agency minds its people: additions to the contract (decision 0061)."""

from typing import Any

from handbill.contract.envelopes import Done, done
from handbill.contract.people.models import (
    InvitationMade,
    InvitationMail,
    NewPerson,
    PeoplePage,
    PersonChange,
    PersonShown,
)
from handbill.http.kinds import Change
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.faults import not_found, refused_state
from handbill.people import entrants, factors, invitations, letters, service, sessions


def _person(call: Call) -> service.Person:
    return service.person_of(call.tx, call.caller.agency_no, call.path["person_id"])


def _shown_people(call: Call, people: list[service.Person]) -> list[PersonShown]:
    mailed = letters.last_mails(call.tx, people)
    able = entrants.able(call.tx, call.caller.agency_no, people)
    return [
        PersonShown.of(
            one,
            clients=service.client_ids_of(call.tx, one),
            may_sign_in=one.no in able,
            second_factor=factors.is_used_by(one),
            invitation_mail=InvitationMail.of(mailed[one.no]) if one.no in mailed else None,
        )
        for one in people
    ]


def _list(call: Call) -> Answer:
    every = service.people_of(call.tx, call.caller.agency_no)
    skip, limit = skip_and_limit(call)
    page = PeoplePage.of(rows=_shown_people(call, every[skip : skip + limit]))
    return with_links(call, page, len(every))


def _get(call: Call) -> PersonShown:
    (shown,) = _shown_people(call, [_person(call)])
    return shown


def _client_nos(call: Call, ids: list[str]) -> list[int]:
    """The numbers of the agency's own clients. **Refuses** any other id (404)."""
    clients = [call.desk.doors.client(call.tx, call.caller, one) for one in ids]
    nos = [one.no for one in clients if one is not None]
    if len(nos) < len(clients):
        raise not_found()
    return nos


def _invited(call: Call, person: service.Person, message: str) -> InvitationMade:
    secret = invitations.invite(call.tx, call.ids, call.now, person)
    link = invitations.link_of(call.settings.public_api, secret)
    is_mailed = letters.mail_link(call.tx, call.ids, call.now, call.settings, person, link)
    return InvitationMade.of(
        result=person.id,
        message=f"{message}; the link is mailed, too" if is_mailed else message,
        link=link,
        expires_at=call.now + invitations.LINK_LASTS,
    )


def _invite(call: Call) -> InvitationMade:
    body = call.body
    nos = _client_nos(call, body.clients)
    new = service.New(body.mail, body.role, call.caller.agency_no, None, nos, body.name)
    made = service.add(call.tx, call.ids, call.now, new)
    return _invited(call, made, "Person invited")


def _invite_again(call: Call) -> InvitationMade:
    return _invited(call, _person(call), "Person invited again")


def _update(call: Call) -> Done:
    person = _person(call)
    given: dict[str, Any] = dict(call.body.given())
    clients = given.pop("clients", None)
    if clients is not None:
        given["client_nos"] = _client_nos(call, clients)
    if given.get("role", "") is None:
        del given["role"]
    if given.get("name", "") is None:
        given["name"] = ""
    service.change(call.tx, call.now, person, given)
    return done("Person updated")


def _remove(call: Call) -> Done:
    service.remove(call.tx, call.now, _person(call))
    return done("Person removed")


def _reset(call: Call) -> Done:
    person, caller = _person(call), call.caller.standing
    if caller is not None and caller.person_no == person.no:
        raise refused_state("", "end your own second factor with your password and a code")
    factors.reset(call.tx, call.now, person)
    return done("Second factor ended")


def _sign_out(call: Call) -> Done:
    sessions.end_all(call.tx, _person(call))
    return done("Signed out everywhere")


_ID = "65f0c1d2e3a4b5c6d7e8f901"
_SAMPLE = {
    "id": _ID,
    "mail": "ada@acme.example",
    "name": "Ada",
    "role": "TRADER",
    "clients": None,
    "maySignIn": True,
    "secondFactor": False,
    "invitationMail": None,
    "createdOn": "2026-11-18T12:00:00.000Z",
    "lastUpdated": "2026-11-18T12:00:00.000Z",
}
_MADE = {
    "result": _ID,
    "message": "Person invited",
    "link": "https://api.example.com/app/join/hbl_k3v9x2m7q1zt_.......",
    "expiresOn": "2026-11-20T12:00:00.000Z",
}
_ONE = "/people/{person_id}"
OPERATIONS = [
    Operation(
        name="list_people",
        verb="GET",
        path="/people",
        title="Get all people.",
        about="The agency's people, the oldest first. Of people, only owners may ask.",
        open_to="owner",
        work=_list,
        query=PAGED,
        answer=PeoplePage,
        sample_answer={"data": [_SAMPLE]},
    ),
    Operation(
        name="invite_person",
        verb="POST",
        path="/people",
        title="Invite a person.",
        about="Adds a person to the agency, and returns a link by which it sets a password, only "
        "this once. At most 1000 people may exist at a time.",
        open_to="owner",
        kind=Change(shows_once=True),
        work=_invite,
        body=NewPerson,
        body_names=True,
        answer=InvitationMade,
        sample={"mail": "ada@acme.example", "role": "TRADER", "name": "Ada"},
        sample_answer=_MADE,
    ),
    Operation(
        name="get_person",
        verb="GET",
        path=_ONE,
        title="Get a person.",
        about="A person of the agency. Of people, only owners may ask.",
        open_to="owner",
        work=_get,
        answer=PersonShown,
        sample_answer=_SAMPLE,
    ),
    Operation(
        name="update_person",
        verb="PUT",
        path=_ONE,
        title="Update a person.",
        about="Changes role, name and clients, at once in all sessions. The last owner of an "
        "agency stays its owner.",
        open_to="owner",
        work=_update,
        body=PersonChange,
        body_names=True,
        answer=Done,
        sample={"role": "ANALYST"},
        sample_answer={"result": True, "message": "Person updated"},
    ),
    Operation(
        name="remove_person",
        verb="DELETE",
        path=_ONE,
        title="Remove a person.",
        about="Removes the person; its sessions and links end at once, in all processes. The last "
        "owner of an agency cannot be removed.",
        open_to="owner",
        work=_remove,
        answer=Done,
        sample_answer={"result": True, "message": "Person removed"},
    ),
    Operation(
        name="invite_person_again",
        verb="POST",
        path=f"{_ONE}/invitation",
        title="Invite a person again.",
        about="Returns a new link by which the person sets a password, also one who has forgotten "
        "it. The former link ends.",
        open_to="owner",
        kind=Change(shows_once=True),
        work=_invite_again,
        answer=InvitationMade,
        sample_answer=_MADE,
    ),
    Operation(
        name="sign_person_out",
        verb="POST",
        path=f"{_ONE}/sign-out",
        title="Sign a person out everywhere.",
        about="Ends all sessions of the person at once, in all processes.",
        open_to="owner",
        work=_sign_out,
        answer=Done,
        sample_answer={"result": True, "message": "Signed out everywhere"},
    ),
    Operation(
        name="reset_second_factor",
        verb="DELETE",
        path=f"{_ONE}/second-factor",
        title="End a person's second factor.",
        about="For a person who has lost the app and the recovery codes: it signs in by password "
        "alone, until it begins a second factor again. Its sessions end. Of people, only owners "
        "may do this, and for others only.",
        open_to="owner",
        work=_reset,
        answer=Done,
        sample_answer={"result": True, "message": "Second factor ended"},
    ),
]
