"""Background work: looking for whom something is due, and writing it."""

from handbill.kit.instants import Instant
from handbill.mail import service as mail
from handbill.mailings import service
from handbill.people import choices
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import EVERYBODY, Task, enqueue
from handbill.work.tools import Run, Schedule, Tools, ask_for_each

_EVERY_SECONDS = 300
_ALERTS_SECONDS = 900
_ALERTS = "alerts"


def look(tools: Tools, task: Task) -> None:
    """Ask for each person to whom something may be due; seldom also for alerts, as that takes a
    look at all that they may see. Without a mail server nobody gets anything.
    """
    if not mail.is_on(tools.settings):
        return
    now, too = tools.clock.now(), task.key == _ALERTS

    def found(tx: Tx) -> list[str]:
        return [
            one
            for one, chosen in choices.every(tx)
            if service.is_anything_due(chosen, now, looks_for_alerts=too)
        ]

    ask_for_each(tools, kinds.MAIL_PERSON, found)


def write(tools: Tools, task: Task) -> None:
    """Write what is due to a person. Mails and marks are stored as one, so that neither a second
    run nor a crash mails anything twice; what has changed meanwhile is looked at again later.
    """
    if not mail.is_on(tools.settings):
        return
    now = tools.clock.now()
    with tools.records.read() as tx:
        made = service.due(tx, task.key, tools.settings, now)
    if made is None:
        return
    with tools.records.write() as tx:
        service.write(tx, tools.ids, now, tools.settings, made)


def ask_to_look(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_AT_MAILINGS, EVERYBODY, now)


def ask_for_alerts(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_AT_MAILINGS, _ALERTS, now)


TASKS: dict[str, Run] = {kinds.LOOK_AT_MAILINGS: look, kinds.MAIL_PERSON: write}
SCHEDULE: list[Schedule] = [
    (kinds.LOOK_AT_MAILINGS, _EVERY_SECONDS, ask_to_look),
    ("mailings.alerts", _ALERTS_SECONDS, ask_for_alerts),
]
