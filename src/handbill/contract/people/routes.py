"""Sessions of people, and their own account: additions to the contract (decision 0061)."""

from collections.abc import Callable

from handbill.access import service as access
from handbill.contract.envelopes import Done, done
from handbill.contract.people.models import (
    Me,
    MeChange,
    Session,
    SessionChange,
    SessionMade,
    SignIn,
)
from handbill.core.persons import IDLE_FOR, WRITERS, mail_of
from handbill.core.trail import Occasion
from handbill.http.gates import unauthorised
from handbill.http.kinds import Enter
from handbill.http.operations import Call, Operation
from handbill.kit.faults import Fault, Refused, bad_request, not_found, refused_state, too_many
from handbill.kit.instants import HOUR, SECOND, Instant
from handbill.people import factors, passwords, service, sessions


def _agency_no(call: Call, agency_id: str) -> int | None:
    """The number of a named agency. **Refuses** an unknown one (404)."""
    return access.agency_of(call.tx, agency_id).no if agency_id else None


def first_agency(call: Call) -> int:
    """Where an operator works who has not named an agency. **Refuses** (400) if there is none."""
    every = access.agencies_of_all(call.tx)
    if not every:
        raise refused_state("", "there is no agency yet; create one first: handbill agency create")
    return every[0].no


def too_often(what: str, wait: Instant) -> Refused:
    """429: how long to wait after too many failures."""
    return too_many(f"too many {what}; try again later", -(-wait // SECOND))


def mind_failures(call: Call, mail: str) -> None:
    """**Refuses** (429) an address that has failed too often."""
    if wait := call.desk.sign_ins.wait(mail, call.network, call.now):
        raise too_often("failed sign-ins for this mail address", wait)


def _fits(call: Call, person: service.Person) -> bool:
    """Whether the code lets this person in, if it uses one. After too many wrong codes none does:
    who knows the password is not told so.
    """
    if call.desk.sign_ins.codes.wait(person.id, call.now):
        return not factors.is_used_by(person)
    return factors.fits(call.tx, call.now, person, call.body.code)


def _prove(call: Call) -> Callable[[], service.Person]:
    """Whose mail, password and code these are.

    **Refuses** (429) after too many failures, and (401) whatever is wrong, in the same time.
    """
    mail = mail_of(call.body.mail)
    mind_failures(call, mail)
    try:
        some = service.candidates(call.tx, mail, _agency_no(call, call.body.agency_id))
    except Refused:
        some = []
    kept = [one.password for one in some] + [None] * (service.MOST_ALIKE - len(some))
    fitting = [one.no for one in some if _fits(call, one)]

    def prove() -> service.Person:
        proved = [passwords.proves(call.body.password, one) for one in kept]  # all: no time tells
        theirs = [one for one, is_proved in zip(some, proved, strict=False) if is_proved]
        person = next((one for one in theirs if one.no in fitting), None)
        if person is None:
            call.desk.sign_ins.fail(mail, call.network, call.now)
            for one in theirs:
                call.desk.sign_ins.codes.fail(one.id, call.now)
            raise unauthorised("code" if theirs else "password")
        return person

    return prove


def _sign_in(call: Call) -> SessionMade:
    person = service.person_numbered(call.tx, call.proved.no)
    if person.password != call.proved.password:
        raise unauthorised("password")  # it was changed just now
    if not factors.use(call.tx, call.now, person, call.body.code):
        raise unauthorised("code")  # it was used just now
    call.tx.occasion = Occasion("PERSON", person.id, call.request_id, "create_session")
    place = _agency_no(call, call.body.agency_id)
    if place is None and person.role == "OPERATOR":
        place = first_agency(call)
    secret = sessions.begin(call.tx, call.ids, call.now, person, place)
    return SessionMade.of(result=secret, message="Signed in")


def _renew(call: Call) -> Done:
    standing = call.standing
    place, given = standing.agency_no, call.body.agency_id
    if given is not None and given != standing.owner_id:
        if standing.role != "OPERATOR":
            raise not_found()
        place = _agency_no(call, given)
    sessions.renew(call.tx, call.now, standing, place)
    return done("Session renewed")


def _sign_out(call: Call) -> Done:
    sessions.end(call.tx, call.standing.session_no)
    return done("Signed out")


def _is_due(call: Call) -> bool:
    ends = call.standing.expires_at
    return ends < call.standing.ends_at and call.now > ends - IDLE_FOR + HOUR


def _me(call: Call) -> Me:
    standing = call.standing
    person = service.person_numbered(call.tx, standing.person_no)
    in_agency = call.caller.role == "agency"
    return Me.of(
        person,
        agency_id=standing.owner_id if in_agency else None,
        family_id=None if in_agency else standing.owner_id,
        clients=service.client_ids_of(call.tx, person),
        second_factor=factors.is_used_by(person),
        recoveries=factors.recoveries_left(call.tx, person),
        may_write=person.role in WRITERS,
        session=Session.of(standing, renewal_due=_is_due(call)),
    )


def _prove_again(call: Call) -> Callable[[], str | None]:
    """The hash of a new password, if one is given. **Refuses** (400) a wrong former one."""
    given = call.body.given()
    person = service.person_numbered(call.tx, call.standing.person_no)
    if given.get("password") is None:
        return lambda: None
    mind_failures(call, person.mail)
    service.check_password(given["password"], person.mail)

    def prove() -> str:
        if not passwords.proves(given.get("former") or "", person.password):
            call.desk.sign_ins.fail(person.mail, call.network, call.now)
            raise bad_request([Fault("former", "is not the present password")])
        return passwords.hashed(call.ids, given["password"])

    return prove


def _update_me(call: Call) -> Done:
    person = service.person_numbered(call.tx, call.standing.person_no)
    given = call.body.given()
    if "name" in given:
        service.change(call.tx, call.now, person, {"name": given["name"] or ""})
    if call.proved is not None:
        service.set_password(call.tx, call.now, person, call.proved, call.standing.session_no)
    return done("Account updated")


def _sign_out_everywhere(call: Call) -> Done:
    person = service.person_numbered(call.tx, call.standing.person_no)
    sessions.end_all(call.tx, person)
    return done("Signed out everywhere")


_SESSION_SAMPLE = "hbs_k3v9x2m7q1zt_......."
_ME_SAMPLE = {
    "id": "65f0c1d2e3a4b5c6d7e8f901",
    "mail": "ada@acme.example",
    "name": "Ada",
    "role": "TRADER",
    "agencyId": "acme",
    "publisherFamilyId": None,
    "clients": None,
    "secondFactor": True,
    "recoveryCodesLeft": 10,
    "mayWrite": True,
    "session": {
        "createdOn": "2026-11-18T12:00:00.000Z",
        "expiresOn": "2026-11-19T00:00:00.000Z",
        "endsOn": "2026-12-18T12:00:00.000Z",
        "renewalDue": False,
    },
}

OPERATIONS = [
    Operation(
        name="create_session",
        verb="POST",
        path="/sessions",
        title="Sign in.",
        about="Begins a session of a person and returns its secret, only this once. It is sent as "
        "Authorization: Bearer in place of x-api-key and x-authorization-key. An unknown "
        "address, a wrong password and a wrong code get the same answer. After 10 failures of an "
        "address within a minute from one network, or 100 in all, the answer is 429. After 10 "
        "wrong codes of a person within an hour, each one is wrong for a while.",
        kind=Enter(),
        ahead=_prove,
        work=_sign_in,
        body=SignIn,
        answer=SessionMade,
        sample={"mail": "ada@acme.example", "password": "............", "code": "123456"},
        sample_answer={"result": _SESSION_SAMPLE, "message": "Signed in"},
    ),
    Operation(
        name="renew_session",
        verb="PUT",
        path="/sessions/current",
        title="Renew the session.",
        about="Lets the session go on for 12 hours from now, until 30 days after it began at the "
        "latest. An operator may choose another agency to work in.",
        role="person",
        work=_renew,
        body=SessionChange,
        must_have_body=False,
        body_names=True,
        answer=Done,
        sample={"agencyId": "acme"},
        sample_answer={"result": True, "message": "Session renewed"},
    ),
    Operation(
        name="end_session",
        verb="DELETE",
        path="/sessions/current",
        title="Sign out.",
        about="Ends the session at once, in all processes.",
        role="person",
        work=_sign_out,
        answer=Done,
        sample_answer={"result": True, "message": "Signed out"},
    ),
    Operation(
        name="get_me",
        verb="GET",
        path="/people/me",
        title="Get the person who is signed in.",
        about="The person of this session, its role, and what it may see and do.",
        role="person",
        work=_me,
        answer=Me,
        sample_answer=_ME_SAMPLE,
    ),
    Operation(
        name="update_me",
        verb="PUT",
        path="/people/me",
        title="Change the own account.",
        about="Changes the name or the password of the person who is signed in. A new password "
        "requires the present one, and ends all other sessions.",
        role="person",
        ahead=_prove_again,
        work=_update_me,
        body=MeChange,
        answer=Done,
        sample={"name": "Ada"},
        sample_answer={"result": True, "message": "Account updated"},
    ),
    Operation(
        name="end_sessions",
        verb="DELETE",
        path="/sessions",
        title="Sign out everywhere.",
        about="Ends all sessions of the person who is signed in, this one too.",
        role="person",
        work=_sign_out_everywhere,
        answer=Done,
        sample_answer={"result": True, "message": "Signed out everywhere"},
    ),
]
