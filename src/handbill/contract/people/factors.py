"""The second factor of the person who is signed in: additions to the contract (decision 0062)."""

from collections.abc import Callable

from handbill.contract.envelopes import Done, done
from handbill.contract.people.models import (
    Code,
    CodeGiven,
    PasswordGiven,
    RecoveryCodes,
    SecondFactorEnd,
    SecondFactorOffer,
)
from handbill.contract.people.routes import mind_failures, too_often
from handbill.http.kinds import Change
from handbill.http.operations import Call, Operation
from handbill.kit.faults import Fault, bad_request
from handbill.people import factors, passwords, service


def mind_codes(call: Call, person: service.Person) -> None:
    """**Refuses** (429) a person of whom too many wrong codes were sent."""
    if wait := call.desk.sign_ins.codes.wait(person.id, call.now):
        raise too_often("wrong codes of this person", wait)


def use_code(call: Call, person: service.Person, code: Code) -> None:
    """Use a person's code. **Refuses** (400) a wrong one, and counts it."""
    if not factors.use(call.tx, call.now, person, code):
        call.desk.sign_ins.codes.fail(person.id, call.now)
        raise factors.WrongCode


def _me(call: Call) -> service.Person:
    return service.person_numbered(call.tx, call.standing.person_no)


def _prove_password(call: Call) -> Callable[[], None]:
    """That it is the person itself, and not only somebody with its session."""
    person = _me(call)
    mind_failures(call, person.mail)
    mind_codes(call, person)

    def prove() -> None:
        if not passwords.proves(call.body.password, person.password):
            call.desk.sign_ins.fail(person.mail, call.network, call.now)
            raise bad_request([Fault("password", "is not the present password")])

    return prove


def _begin(call: Call) -> SecondFactorOffer:
    offer = factors.offer(call.tx, call.ids, _me(call))
    return SecondFactorOffer.of(
        result=offer.secret, message="Confirm it with a code", uri=offer.uri
    )


def _confirm(call: Call) -> RecoveryCodes:
    person = _me(call)
    mind_codes(call, person)
    spared = call.standing.session_no
    try:
        made = factors.put_in_force(call.tx, call.ids, call.now, person, call.body.code, spared)
    except factors.WrongCode:
        call.desk.sign_ins.codes.fail(person.id, call.now)
        raise
    return RecoveryCodes.of(result=True, message="Second factor in force", codes=made)


def _end(call: Call) -> Done:
    person = _me(call)
    use_code(call, person, call.body.code)
    factors.end(call.tx, call.now, person)
    return done("Second factor ended")


_MINE = "/people/me/second-factor"
_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - of the documentation
OPERATIONS = [
    Operation(
        name="begin_second_factor",
        verb="POST",
        path=_MINE,
        title="Begin a second factor.",
        about="Returns a secret for an app that makes one-time codes (RFC 6238: SHA-1, 6 digits, "
        "30 seconds), only this once. It is in force when a code of it has been confirmed. Begun "
        "again, a new secret replaces one that was not confirmed.",
        role="person",
        kind=Change(shows_once=True),
        ahead=_prove_password,
        work=_begin,
        body=PasswordGiven,
        answer=SecondFactorOffer,
        sample={"password": "...................."},
        sample_answer={
            "result": _SECRET,
            "message": "Confirm it with a code",
            "uri": f"otpauth://totp/Handbill:ada%40acme.example?secret={_SECRET}&issuer=Handbill",
        },
    ),
    Operation(
        name="confirm_second_factor",
        verb="PUT",
        path=_MINE,
        title="Confirm a second factor.",
        about="With a code of the secret that was begun, the second factor is in force: signing in "
        "asks for a code from now on. All other sessions of the person end. Returns ten recovery "
        "codes, only this once; each stands in place of a code once.",
        role="person",
        kind=Change(shows_once=True),
        work=_confirm,
        body=CodeGiven,
        answer=RecoveryCodes,
        sample={"code": "123456"},
        sample_answer={
            "result": True,
            "message": "Second factor in force",
            "recoveryCodes": ["k3v9-x2m7-q4zt-a5bc"],
        },
    ),
    Operation(
        name="end_second_factor",
        verb="POST",
        path=f"{_MINE}/end",
        title="End the second factor.",
        about="With the password and a code or recovery code, the person signs in by password "
        "alone from now on. Its recovery codes end.",
        role="person",
        ahead=_prove_password,
        work=_end,
        body=SecondFactorEnd,
        answer=Done,
        sample={"password": "....................", "code": "123456"},
        sample_answer={"result": True, "message": "Second factor ended"},
    ),
]
