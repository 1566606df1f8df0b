"""What the person who is signed in is mailed, and links that end it, for anybody who has one."""

from collections.abc import Mapping
from typing import Any

from handbill.access.keys import secret
from handbill.contract.envelopes import Done, done
from handbill.contract.mailings.models import Mails, MailsChange, MailsEnd, MailsEnded
from handbill.core.mailings import MOST_ALERTS, NOT_FOR_EMPLOYERS, Choices
from handbill.core.persons import OF_AGENCIES, Person
from handbill.core.trail import Occasion
from handbill.http.kinds import Enter
from handbill.http.operations import Call, Operation
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.mail import service as mail
from handbill.mailings import ends
from handbill.people import choices, service

_DEFAULTS = Choices()


def _me(call: Call) -> Person:
    return service.person_numbered(call.tx, call.standing.person_no)


def _get(call: Call) -> Mails:
    chosen = choices.of(call.tx, call.standing.person_no)
    named = None if chosen.clients is None else list(chosen.clients)
    return Mails.of(chosen, is_on=mail.is_on(call.settings), clients=named)


def _update(call: Call) -> Done:
    person = _me(call)
    if person.role not in OF_AGENCIES:
        raise refused_state("", "only people of an agency are mailed about its clients")
    given: dict[str, Any] = {
        name: getattr(_DEFAULTS, name) if value is None else value
        for name, value in call.body.given().items()
    }
    if given.get("clients") is not None:
        known = [call.desk.doors.client(call.tx, call.caller, one) for one in given["clients"]]
        if None in known:
            raise not_found()
        given["clients"] = tuple(given["clients"])
    if person.role == "EMPLOYER":
        _refuse_of_agency(given)
    choices.change(call.tx, call.now, person, given)
    return done("Mails updated")


def _refuse_of_agency(given: Mapping[str, Any]) -> None:
    """**Refuses** (400) what tells of the agency's plans, rules and publishers."""
    faults = [
        Fault(name, "is not told to an EMPLOYER") for name in NOT_FOR_EMPLOYERS if given.get(name)
    ]
    if faults:
        raise bad_request(faults)


def _end(call: Call) -> MailsEnded:
    try:
        person_no, mailing = ends.opened(call.body.token, secret(call.tx, ends.KEY))
    except ends.NoEnd:
        raise not_found() from None
    person = choices.whose(call.tx, person_no)
    if person is not None:
        call.tx.occasion = Occasion("PERSON", person.id, call.request_id, "end_mails")
        choices.end(call.tx, call.now, person, mailing)
    return MailsEnded.of(result=True, message="Mails ended", mailing=mailing)


_MINE = "/people/me/mails"
OPERATIONS = [
    Operation(
        name="get_mails",
        verb="GET",
        path=_MINE,
        title="Get what the person is mailed.",
        about="What the person of this session has chosen to be mailed.",
        role="person",
        work=_get,
        answer=Mails,
        sample_answer={
            "mailServer": True,
            "zone": "Europe/Berlin",
            "hour": 7,
            "weeklyReport": True,
            "dailyDigest": False,
            "underPaceAlert": 80,
            "noAppliesAlert": None,
            "feedFailedAlert": True,
            "rulePausedAlert": False,
            "notFetchedAlert": False,
            "clients": None,
        },
    ),
    Operation(
        name="update_mails",
        verb="PUT",
        path=_MINE,
        title="Choose what the person is mailed.",
        about="Changes what is given. Mails are sent once a period, about clients that the person "
        "may see at that time; each has a link that ends its kind. What is chosen anew first comes "
        f"at its next time. An alert is mailed once, until its cause has gone and come again; at "
        f"most {MOST_ALERTS} mails of alerts a day.",
        role="person",
        work=_update,
        body=MailsChange,
        body_names=True,
        answer=Done,
        sample={"zone": "Europe/Berlin", "weeklyReport": True},
        sample_answer={"result": True, "message": "Mails updated"},
    ),
    Operation(
        name="end_mails",
        verb="POST",
        path="/mails/end",
        title="End mails by their link.",
        about="Mails no more of this kind to whom the link was mailed. Once they have ended, the "
        "answer is the same. An unknown token gets 404.",
        kind=Enter(),
        work=_end,
        body=MailsEnd,
        body_names=True,
        answer=MailsEnded,
        sample={"token": "AQABk3v9x2m7q1ztk3v9"},
        sample_answer={"result": True, "message": "Mails ended", "mails": "WEEKLY"},
    ),
]
