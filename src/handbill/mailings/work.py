"""Background work: looking for whom something is due, and writing it."""

from handbill.kit.instants import Instant
from handbill.mail import service as mail
from handbill.mailings import service
from handbill.mailings.alerts import Paces
from handbill.people import choices
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import EVERYBODY, Task, enqueue
from handbill.work.tools import Run, Schedule, Tools, ask_for_each

_EVERY_SECONDS = 300
_ALERTS_SECONDS = 900
_ALERTS = "alerts"


def look(tools: Tools, task: Task) -> None:
    """Ask for each person to whom a report or a digest may be due; seldom, for each agency with
    people who want alerts, as that takes a look at all that they may see. Without a mail server
    nobody gets anything.
    """
    if not mail.is_on(tools.settings):
        return
    now = tools.clock.now()

    def due_to(tx: Tx) -> list[str]:
        return [one.id for one in choices.every(tx) if service.is_anything_due(one.chosen, now)]

    def with_alerts(tx: Tx) -> list[str]:
        some = {one.agency_no for one in choices.every(tx) if _wants_alerts(one)}
        return sorted(f"{no}" for no in some if no is not None)

    if task.key == _ALERTS:
        ask_for_each(tools, kinds.MAIL_ALERTS, with_alerts)
    else:
        ask_for_each(tools, kinds.MAIL_PERSON, due_to)


def write(tools: Tools, task: Task) -> None:
    """Write the report or digest that is due to a person."""
    if mail.is_on(tools.settings):
        _write(tools, task.key, tools.clock.now(), None)


def alert(tools: Tools, task: Task) -> None:
    """Write what is due to people of an agency who want alerts: what they have in common is
    computed once. One who cannot be written to keeps nobody else's from being written.
    """
    if not mail.is_on(tools.settings):
        return
    now = tools.clock.now()
    paces = Paces(now, tools.settings.ceiling_ppm)
    with tools.records.read() as tx:
        every = choices.of_agency(tx, int(task.key))
    some = [one.id for one in every if _wants_alerts(one)]
    failed: list[Exception] = []
    for person_id in some:
        try:
            _write(tools, person_id, now, paces)
        except Exception as failure:  # noqa: BLE001 - raised below, after everybody's turn
            failed.append(failure)
    if failed:
        raise ExceptionGroup(f"alerts of {len(failed)} of {len(some)} people", failed)


def _wants_alerts(one: choices.Whose) -> bool:
    return "ALERTS" in one.chosen.choices.mailings


def _write(tools: Tools, person_id: str, now: Instant, paces: Paces | None) -> None:
    """Mails and marks are stored as one, so that neither a second run nor a crash mails anything
    twice; what has changed meanwhile is looked at again later.
    """
    with tools.records.read() as tx:
        made = service.due(tx, person_id, tools.settings, now, paces)
    if made is None:
        return
    with tools.records.write() as tx:
        service.write(tx, tools.ids, now, tools.settings, made)


def ask_to_look(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_AT_MAILINGS, EVERYBODY, now)


def ask_for_alerts(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_AT_MAILINGS, _ALERTS, now)


TASKS: dict[str, Run] = {
    kinds.LOOK_AT_MAILINGS: look,
    kinds.MAIL_PERSON: write,
    kinds.MAIL_ALERTS: alert,
}
SCHEDULE: list[Schedule] = [
    (kinds.LOOK_AT_MAILINGS, _EVERY_SECONDS, ask_to_look),
    ("mailings.alerts", _ALERTS_SECONDS, ask_for_alerts),
]
