"""Background work of listings: a client's parts, then the files of each publisher that changed,
then their delivery where a publisher wants it.
"""

from handbill.clients import service as clients
from handbill.listings import assembly, delivering, publishing
from handbill.listings.service import ASSEMBLE, DELIVER, PUBLISH
from handbill.work.queue import Task
from handbill.work.tools import Run, Tools


def publish(tools: Tools, task: Task) -> None:
    with tools.records.read() as tx:
        found = clients.client_at_work(tx, task.key)
    if found is not None:
        client, live = found
        publishing.publish(tools, client, live=live)


def assemble(tools: Tools, task: Task) -> None:
    assembly.assemble(tools, int(task.key))


def deliver(tools: Tools, task: Task) -> None:
    delivering.deliver(tools, int(task.key), task.attempts)


TASKS: dict[str, Run] = {PUBLISH: publish, ASSEMBLE: assemble, DELIVER: deliver}
