"""Background work of listings: a client's parts, then the files of each publisher that changed."""

from handbill.clients import service as clients
from handbill.listings import assembly, publishing
from handbill.listings.service import ASSEMBLE, PUBLISH
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


TASKS: dict[str, Run] = {PUBLISH: publish, ASSEMBLE: assemble}
