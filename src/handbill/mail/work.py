"""Background work of mails: trying each once, and deleting old ones."""

from handbill.host.figures import MAILS
from handbill.host.smtp import LIMITS, MailFailed, MailRefused, hand_over
from handbill.kit.instants import Instant
from handbill.kit.mails import server_of
from handbill.mail import rows, service
from handbill.mail.rows import SENDING, Mail
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools, run_all_due

_LEASE_SECONDS = 300  # longer than a try can take
_OFF = "HANDBILL_SMTP_URL is not set"


def send(tools: Tools, task: Task) -> None:
    """One try. If the worker dies between the server's answer and storing it, there is one more
    try, of the same message with the same Message-ID.
    """
    with tools.records.read() as tx:
        mail = rows.by_id(tx, task.key)
        if mail is None or mail.state != SENDING:
            return
        message = rows.body_of(tx, mail)
    failure, for_good = "", False
    try:
        _hand_over(tools, mail, message)
    except MailFailed as failed:
        failure = str(failed)
    except MailRefused as refused:
        failure, for_good = str(refused), True
    with tools.records.write() as tx:
        state = service.note(tx, mail, tools.clock.now(), failure, for_good=for_good)
    MAILS.labels("retrying" if state == SENDING else state.lower()).inc()


def _hand_over(tools: Tools, mail: Mail, message: bytes) -> None:
    settings = tools.settings
    if not service.is_on(settings):
        raise MailFailed(_OFF)
    server = server_of(settings.smtp_url, settings.smtp_tls)
    tls = tools.egress.tls()
    hand_over(server, settings.mail_sender, mail.recipient, message, tls, LIMITS)


def run_due(tools: Tools, name: str, most: int = 1_000) -> int:
    """Try those that are due, at once, beside any worker; how many were tried."""
    return run_all_due(tools, kinds.SEND_MAIL, send, name, _LEASE_SECONDS, most)


def sweep(tools: Tools, task: Task) -> None:  # noqa: ARG001
    now = tools.clock.now()
    tools.records.in_steps(lambda tx, most: service.sweep(tx, now, most))


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SWEEP_MAILS, "", now)


TASKS: dict[str, Run] = {kinds.SEND_MAIL: send, kinds.SWEEP_MAILS: sweep}
SCHEDULE: list[Schedule] = [(kinds.SWEEP_MAILS, 86_400, ask_to_sweep)]
