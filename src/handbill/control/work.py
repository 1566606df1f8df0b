"""Background work of control: a client's tick, by the clock or after a change."""

from logging import getLogger

from handbill.clients import service as clients
from handbill.control import rows, rule_ticks, ruling, service
from handbill.control.looking import clients_to_look_at
from handbill.core.rules.windows import EVERY, instant_of_run
from handbill.kit.instants import DAY, SECOND, Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import traffic
from handbill.rules import history
from handbill.rules import service as rules
from handbill.standing import service as standing
from handbill.stats.answering import Answering
from handbill.store import marks
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import EVERYBODY, Task, enqueue
from handbill.work.tools import Run, Schedule, Tools, ask_for_each

_LOG = getLogger("handbill.control")
_KEPT = 400 * DAY
_UNTAKEN = 3 * DAY
_JUDGES = 3 * SECOND


def look(tools: Tools, task: Task) -> None:
    """Tick; listings are published if anything changed."""
    if _tick(tools, task.key, anew=False):
        _publish(tools, task.key)


def follow(tools: Tools, task: Task) -> None:
    """Tick after a change of a noun; listings are published in any case, whatever the tick did."""
    try:
        _tick(tools, task.key, anew=True)
    finally:
        _publish(tools, task.key)


def _tick(tools: Tools, client_id: str, *, anew: bool) -> bool:
    with tools.records.read() as tx:
        at_work = clients.client_at_work(tx, client_id)
    if at_work is None:
        return False
    client, live = at_work
    now = tools.clock.now()
    if not live:
        service.forget(tools.records, client, now)
        return False
    return service.tick(tools.records, client, now, tools.settings.ceiling_ppm, anew=anew)


def _publish(tools: Tools, client_id: str) -> None:
    with tools.records.write() as tx:
        enqueue(tx, kinds.PUBLISH, client_id, tools.clock.now())


def look_at_clients(tools: Tools, _: Task) -> None:
    """Enqueue a tick for clients with something new. No writer waits while they are found."""
    now = tools.clock.now()
    ask_for_each(tools, kinds.CONTROL, lambda tx: clients_to_look_at(tx, now))


def run_rules(tools: Tools, task: Task) -> None:
    """Run a client's rules."""
    with tools.records.read() as tx:
        at_work = clients.client_at_work(tx, task.key)
    if at_work is None or not at_work[1]:
        return
    answering = Answering(tools.records, tools.blobs, tools.ids, tools.scratch)
    mode = tools.settings.rules_mode
    with_these = rule_ticks.RulingTools(tools.records, answering, tools.clock, tools.ids, mode)
    acts = ruling.tick(with_these, at_work[0])
    if acts:
        _LOG.info("rules acted", extra={"client": task.key, "acts": acts})


def look_at_rules(tools: Tools, _: Task) -> None:
    """Enqueue the rules of every client that has any. If the judge is still at the last events of a
    quarter of an hour, wait for it.
    """
    now = tools.clock.now()
    with tools.records.read() as tx:
        judged_at = marks.read(tx).judged_at
    if instant_of_run(now) - EVERY <= judged_at < instant_of_run(now):
        with tools.records.write() as tx:
            enqueue(tx, kinds.LOOK_AT_RULES, EVERYBODY, now, due_at=now + _JUDGES)
        return

    def found(tx: Tx) -> list[str]:
        nos = rules.clients_with_rules(tx)
        return [one.id for one in clients.clients_at_work(tx) if one.no in nos]

    ask_for_each(tools, kinds.RUN_RULES, found)


def sweep(tools: Tools, _: Task) -> None:
    """Delete what is no longer needed."""
    before = tools.clock.now() - _KEPT
    day = day_of(before, zone_of("UTC"))
    steps = tools.records.in_steps
    untaken = tools.clock.now() - _UNTAKEN
    count = steps(lambda tx, most: standing.sweep(tx, day, most))
    count += steps(lambda tx, most: traffic.forget(tx, untaken, most))
    count += steps(lambda tx, most: rows.sweep(tx, before, day.isoformat(), most))
    now = tools.clock.now()
    count += steps(lambda tx, most: history.sweep(tx, now, most))
    _LOG.info("forgot ceilings, days and bids", extra={"rows": count})


def learn(tools: Tools, _: Task) -> None:
    """Learn from the days that are over."""
    service.learn_weeks(tools.records, tools.clock.now())


def ask_to_look(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_AT_CLIENTS, "", now)


def ask_to_learn(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LEARN_WEEKS, "", now)


def ask_to_look_at_rules(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_AT_RULES, "", now)


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SWEEP_CONTROL, "", now)


TASKS: dict[str, Run] = {
    kinds.CONTROL: look,
    kinds.FOLLOW: follow,
    kinds.LOOK_AT_CLIENTS: look_at_clients,
    kinds.RUN_RULES: run_rules,
    kinds.LOOK_AT_RULES: look_at_rules,
    kinds.LEARN_WEEKS: learn,
    kinds.SWEEP_CONTROL: sweep,
}
SCHEDULE: list[Schedule] = [
    (kinds.LOOK_AT_CLIENTS, 60, ask_to_look),
    (kinds.LEARN_WEEKS, 3_600, ask_to_learn),
    (kinds.LOOK_AT_RULES, 300, ask_to_look_at_rules),
    (kinds.SWEEP_CONTROL, 3_600, ask_to_sweep),
]
