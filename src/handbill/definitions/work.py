"""Background work of click definitions: reading the lists of bots' addresses."""

from handbill.core.address_lists import NotAddresses, list_text, read_prefixes
from handbill.definitions import rows, service
from handbill.host.egress import EgressFailed, EgressRefused, FetchLimits
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task
from handbill.work.tools import Run, Schedule, Tools

_LIMITS = FetchLimits(total_seconds=120, most_bytes=8 * 1024**2)


def read_list(tools: Tools, task: Task) -> None:
    """Read one list. If it cannot be read, the former one stays, with the reason."""
    no = int(task.key)
    with tools.records.read() as tx:
        definition = rows.by_number(tx, no)
    if definition is None or not definition.body.bot_ips_url:
        return
    url = definition.body.bot_ips_url
    try:
        with tools.egress.open(url, _LIMITS) as fetched:
            raw = b"".join(fetched)
        prefixes, why = read_prefixes(list_text(raw)), ""
    except (EgressRefused, EgressFailed, NotAddresses) as failed:
        prefixes, why = [], f"The list cannot be read: {failed}."
    with tools.records.write() as tx:
        _keep(tx, no, url, prefixes, why, tools.clock.now())


def _keep(tx: Tx, no: int, url: str, found: list[str], why: str, now: Instant) -> None:
    current = rows.by_number(tx, no)
    if current is None or current.body.bot_ips_url != url:
        return  # changed meanwhile: the new address is read by its own task
    if why:
        rows.set_failure(tx, no, why)
    else:
        rows.set_list(tx, no, found, now)


TASKS: dict[str, Run] = {kinds.READ_LIST: read_list}
SCHEDULE: list[Schedule] = [("definitions.lists", 3_600, service.ask_to_read)]
