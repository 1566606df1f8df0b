"""The tick of rules: each is run on the figures of stats, and its acts are done, all or nothing."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from logging import getLogger
from typing import Final, NamedTuple

import msgspec

from handbill.callbacks import service as callbacks
from handbill.clients import service as clients
from handbill.control.known import remember
from handbill.control.rule_ticks import (
    RuleTick,
    RulingTools,
    due_rules,
    memory_of,
    mode_of,
    state_after,
)
from handbill.control.rulebooks import (
    Answers,
    Sheet,
    answered,
    applies_of,
    book_of,
    plans_of,
    questions_of,
    sheet_of,
    sheets_of,
    sight_of,
)
from handbill.control.run_bodies import digest_of_findings, heard, run_body
from handbill.core.nouns import Client
from handbill.core.rule_conditions import Rule, RuleBody
from handbill.core.rules.acts import Act
from handbill.core.rules.figures import Asked, Figures
from handbill.core.rules.memory import EarlierAct, Memory, done_to, reach_of
from handbill.core.rules.running import RuleEvaluation, RuleFinding, run
from handbill.core.rules.sights import Sight
from handbill.core.rules.subjects import LEVELS
from handbill.core.rules.windows import instant_of_run
from handbill.core.standing.tree import HeldByRule
from handbill.core.trail import Occasion
from handbill.host.ids import new_uuid
from handbill.kit.faults import Refused, Unavailable
from handbill.kit.instants import Instant, iso_of
from handbill.kit.zones import day_of, zone_of
from handbill.rules import acting, history, holding
from handbill.rules import service as rules
from handbill.rules.history import RuleRun, RuleRunBody, RuleState
from handbill.stats.answering import Answering
from handbill.store import marks
from handbill.store.records import Tx
from handbill.store.records.base import STEP
from handbill.work import kinds

MOST_FAILURES: Final = 3
_AT_ONCE: Final = 20
"""How many rules share a transaction at most."""
_LOG = getLogger("handbill.rules")


def tick(tools: RulingTools, client: Client) -> int:
    """Run the client's due rules, in order; how many acts there were. They see the ledger as of the
    last quarter of an hour whose events are all judged, so the result does not depend on when they
    run.

    If the run of a rule fails, its state says so; the others run. A rule, a switch or a client that
    was changed since the tick began is left to the next tick; so is a rule that was made or changed
    later than now, as the clock was set back.
    """
    _let_go(tools, client)
    mode = mode_of(client, tools.mode)
    if mode == "OFF":
        return 0
    with tools.records.read() as tx:
        remember(tx)
        now = tools.clock.now()
        seen_at = instant_of_run(min(now, marks.judged_at(tx, client.no)))
        due = [one for one in due_rules(tx, client, mode, seen_at) if one.updated_at <= now]
        if not due:
            return 0
        book = book_of(tx, client, seen_at)
        sheets = sheets_of(tx, book, due, seen_at)
        asked = questions_of(sheets.values(), client, seen_at)
        plans = plans_of(tx, client, asked, seen_at)
        sight = _sight(tx, client, seen_at)._replace(columns={})
        since = seen_at - reach_of(rule.body for rule in due)
        past = history.done(tx, client.no, mode, since)
        names = {rule.no: rule.body.name for rule in rules.rules_of(tx, client)}
    answers = answered(tools.answering, asked, plans)
    made = {one.of: (names.get(one.rule_no, ""), one.pull) for one in past if one.at == seen_at}
    at = RuleTick(tools, client, mode, sight, done_to(past), made)
    waiting = deque(due)
    count = 0
    while waiting:
        count += _run_some(at, waiting, sheets, answers)
        tools.records.give_way()
    return count


def _let_go(tools: RulingTools, client: Client) -> None:
    """Lift the holds on what was deleted: nobody else can, and they would be told as held."""
    with tools.records.read() as tx:
        if not acting.held_of_gone(tx, client):
            return
    with tools.records.write() as tx:
        if (held := clients.hold(tx, client.agency_no, client.id)) is not None:
            tx.occasion = Occasion("CONTROL", cause=kinds.RUN_RULES)
            acting.lift_gone(tx, tools.clock.now(), held)


def _sight(tx: Tx, client: Client, now: Instant) -> Sight:
    """What a run at an instant goes by, except its figures."""
    today = day_of(now, zone_of(client.zone))
    return sight_of(client, now, {}, applies_of(tx, client, today))


def _held(tx: Tx, at: RuleTick, some: Iterable[Rule]) -> tuple[Client, dict[int, RuleState]]:
    """Lock the client, and return it with the states of those rules whose run still stands: nobody
    has deleted or changed the client, its switch or the rule, and no other worker was first.
    """
    client = clients.hold(tx, at.client.agency_no, at.client.id)
    if client is None or mode_of(client, at.tools.mode) != at.mode:
        return at.client, {}
    known = {rule.id: rule for rule in some}
    stand = [
        rule.no
        for id_, rule in rules.rules_by_id(tx, client, list(known)).items()
        if (rule.status, rule.body) == (known[id_].status, known[id_].body)
    ]
    states = history.states_of(tx, stand)
    return client, {no: was for no, was in states.items() if at.sight.now > was.ran_at}


def _run_some(
    at: RuleTick, waiting: deque[Rule], sheets: Mapping[int, Sheet], answers: Answers
) -> int:
    """Run the next rules in one transaction, until one has tried to act, or they have looked at as
    many entities as a transaction may change rows: nobody has to wait for more. How many acts there
    were.
    """
    count = looked_at = 0
    ahead = _ahead(at, waiting[0], sheets[waiting[0].no], answers)
    with at.tools.records.write() as tx:
        some = [waiting.popleft() for _ in range(min(_AT_ONCE, len(waiting)))]
        client, states = _held(tx, at, some)
        held = holding.holds_of(tx, client.no) if states else ()
        at = at._replace(client=client, made_at=at.tools.clock.now(), held=held)
        while some and looked_at < STEP:
            if _is_large(sheets[some[0].no]) and (not ahead or ahead.was.rule_no != some[0].no):
                break  # it is worked out first
            rule = some.pop(0)
            if (was := states.get(rule.no)) is None:
                continue
            its = _seeing(at, rule, answers)
            tx.occasion = Occasion("RULE", rule.id, None, kinds.RUN_RULES)
            deed = partial(_run, at=its, rule=rule, was=was, sheet=sheets[rule.no], ahead=ahead)
            done = tx.part(deed)
            if isinstance(done, Unavailable):
                raise done
            if isinstance(done, Exception):  # its state and the log tell it; other rules run
                _LOG.error("a rule failed", exc_info=done, extra={"rule": rule.id})
                _fail(tx, its, rule, was, type(done).__name__)
            elif done:
                count = sum(not act.skip for act in done)
                break
            looked_at += len(sheets[rule.no].subjects)
        waiting.extendleft(reversed(some))
    return count


def _seeing(at: RuleTick, rule: Rule, answers: Answers) -> RuleTick:
    return at._replace(sight=at.sight._replace(answers=answers.get(LEVELS[rule.body.level], {})))


def _is_large(sheet: Sheet) -> bool:
    return len(sheet.subjects) > STEP


class _Ahead(NamedTuple):
    """What a run comes to, or how it failed, worked out before its transaction; and by what."""

    was: RuleState
    held: Sequence[HeldByRule]
    found: RuleEvaluation | Exception


def _ahead(at: RuleTick, rule: Rule, sheet: Sheet, answers: Answers) -> _Ahead | None:
    """Work out the run of a rule that looks at very many entities while nobody waits for it."""
    if not _is_large(sheet):
        return None
    with at.tools.records.read() as tx:
        was = history.state_of(tx, rule.no)
        held = holding.holds_of(tx, at.client.no)
    at = _seeing(at._replace(held=held), rule, answers)
    found: RuleEvaluation | Exception
    try:
        found = run(rule.body, sheet.subjects, at.sight, memory_of(at, rule, was))
    except Exception as failure:  # noqa: BLE001 - raised where a failed run is noted
        found = failure
    return _Ahead(was, held, found)


def _run(
    tx: Tx, at: RuleTick, rule: Rule, was: RuleState, sheet: Sheet, ahead: _Ahead | None
) -> list[Act]:
    """Run one rule; the acts that were tried, of which some may have been refused."""
    mode, client = at.mode, at.client
    if ahead is None or (ahead.was, ahead.held) != (was, at.held):
        evaluation = run(rule.body, sheet.subjects, at.sight, memory_of(at, rule, was))
    elif isinstance(ahead.found, Exception):
        raise ahead.found
    else:
        evaluation = ahead.found
    run_id = new_uuid(at.tools.ids)
    findings = evaluation.findings
    if mode == "ACT":
        findings = tuple(_doing(tx, at, (rule.no, run_id), one) for one in findings)
    body = run_body(rule.body, sheet, at.sight, evaluation, findings)
    tried = [act for one in findings for act in one.acts if act.skip in {"", "REFUSED"}]
    acts = [act for act in tried if not act.skip]
    made = RuleRun(
        no=0,
        id=run_id,
        client_no=client.no,
        rule_no=rule.no,
        at=at.sight.now,
        mode=mode,
        body=body,
    )
    digest = digest_of_findings(findings)
    if acts or digest != was.told:
        history.add(tx, made)
    state = state_after(at, rule, was, heard(evaluation, findings), findings)
    history.keep(tx, was, msgspec.structs.replace(state, told=digest))
    history.note(tx, made, acts)
    if state.failures >= MOST_FAILURES:
        rules.switch(tx, at.made_at, client, [rule.id], "P")
    if acts:
        _notify(tx, at, rule, made, acts)
    for act in acts:
        made_by = EarlierAct(rule.no, act.kind, act.entity, act.what, act.pull, at.sight.now)
        at.done[act.kind, act.entity].append(made_by)
        at.now.setdefault(act.of, (rule.body.name, act.pull))
    return tried


def _doing(tx: Tx, at: RuleTick, by: tuple[int, str], finding: RuleFinding) -> RuleFinding:
    """Do the acts of a finding, and mark those that are refused."""
    acts = tuple(act if act.skip else _done(tx, at, by, act) for act in finding.acts)
    return msgspec.structs.replace(finding, acts=acts)


def _done(tx: Tx, at: RuleTick, by: tuple[int, str], act: Act) -> Act:
    client, now = at.client, at.made_at

    def deed(part: Tx) -> str:
        if act.after is not None and acting.amount(part, client, act) != act.before:
            return "it was changed meanwhile"
        acting.do(part, at.tools.ids, now, client, by, act)
        return ""

    came = tx.part(deed)
    if isinstance(came, Refused):
        came = "; ".join(one.message for one in came.faults) or came.message
    if isinstance(came, Exception):
        raise came
    return msgspec.structs.replace(act, skip="REFUSED", words=came) if came else act


def _fail(tx: Tx, at: RuleTick, rule: Rule, was: RuleState, why: str) -> None:
    """Note that a run failed; the third failure in a row pauses its rule."""
    failed = msgspec.structs.replace(
        was, ran_at=at.sight.now, failures=was.failures + 1, why=f"it could not be run: {why}"
    )
    history.keep(tx, was, failed)
    if failed.failures >= MOST_FAILURES:
        rules.switch(tx, at.made_at, at.client, [rule.id], "P")


def _notify(tx: Tx, at: RuleTick, rule: Rule, made: RuleRun, acts: Sequence[Act]) -> None:
    """Call back the address that wants to know that the rule has acted, or would have."""
    url = rule.body.call_back_url
    if not rule.body.notify or not url:
        return
    callbacks.agree(tx, at.tools.ids, at.made_at, at.client.agency_no, made.id, url)
    body = {
        "ruleId": rule.id,
        "ruleName": rule.body.name,
        "runId": made.id,
        "clientId": at.client.id,
        "ranOn": iso_of(made.at),
        "mode": made.mode,
        "acts": len(acts),
    }
    callbacks.tell(tx, made.id, body, at.made_at)


def preview(
    tx: Tx, answering: Answering, client: Client, now: Instant, body: RuleBody
) -> RuleRunBody:
    """What a rule would do now, if it were the first and had never run. Nothing is changed."""
    sheet = sheet_of(tx, book_of(tx, client, now), body, now)
    asked = questions_of([sheet], client, now)
    figures = answered(answering, asked, plans_of(tx, client, asked, now))
    answers: Mapping[Asked, Mapping[str, Figures]] = figures.get(LEVELS[body.level], {})
    sight = _sight(tx, client, now)._replace(answers=answers)
    held = holding.holds_of(tx, client.no)
    memory = Memory(
        done=done_to(history.done(tx, client.no, "ACT", now - reach_of([body]))),
        any_held=frozenset((one.kind, one.entity) for one in held),
    )
    evaluation = run(body, sheet.subjects, sight, memory)
    return run_body(body, sheet, sight, evaluation, evaluation.findings)
