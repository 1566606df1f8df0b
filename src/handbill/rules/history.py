"""What rules have done: their runs, their acts, and the state after the last run."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.rule_conditions import Condition
from handbill.core.rules.acts import Act
from handbill.core.rules.memory import EarlierAct
from handbill.core.rules.running import RuleFinding
from handbill.kit.faults import Unavailable
from handbill.kit.instants import DAY, Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among, sweep_of
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import rule_acts, rule_runs, rule_states

KEPT_FOR: Final = 400 * DAY


class AskedStats(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question to stats, in a form that can be asked again."""

    first_on: str
    last_on: str
    level: str
    publishers: tuple[str, ...] = ()


class RuleRunBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    evaluated: int
    matched: int
    conditions: tuple[Condition, ...] = ()
    questions: tuple[AskedStats, ...] = ()
    findings: tuple[RuleFinding, ...] = ()
    cut: bool = False
    """There were too many jobs: only the oldest were looked at."""


class RuleRun(msgspec.Struct, kw_only=True):
    """``mode``: ADVISE, nothing was done; or ACT."""

    no: int
    id: str
    client_no: int
    rule_no: int
    at: Instant
    mode: str
    body: RuleRunBody
    undone_at: Instant | None = None


class RuleState(msgspec.Struct, kw_only=True):
    """``told``: a digest of the last run's result; ``why``: why the last run failed."""

    rule_no: int
    number: int = 0
    ran_at: Instant = 0
    ran_on: str = ""
    mode: str = ""
    truths: tuple[str, ...] = ()
    told: str = ""
    failures: int = 0
    why: str = ""


_RUNS, _STATES = Mapper(rule_runs, RuleRun), Mapper(rule_states, RuleState)
_t, _a, _s = rule_runs.c, rule_acts.c, rule_states.c
_OF_RULE = _RUNS.ever("rule_no", order=_t.no.desc())
_OF_CLIENT = _RUNS.ever("client_no", order=_t.no.desc())
_ONE = _RUNS.ever("id", "rule_no")
_STATE = _STATES.ever("rule_no", order=_s.rule_no)
_SOME_STATES = _STATES.ever(among(_s.rule_no, "nos"), order=_s.rule_no)
_ACTS = (
    sa.select(_a.rule_no, _a.kind, _a.entity, _a.what, _a.pull, _a.at)
    .where(_a.client_no == b("client_no"), _a.mode == b("mode"), _a.at >= b("since"))
    .order_by(_a.no)
)
_KEPT = [name for name in RuleState.__struct_fields__ if name not in {"rule_no", "number"}]
_MOVE_ON = (
    sa.update(rule_states)
    .where(_s.rule_no == b("of"), _s.number == b("was"))
    .values(number=b("is"), **{name: b(name) for name in _KEPT})
)
_FORGET = sa.delete(rule_states).where(_s.rule_no == b("of"))
_SWEEPS = (sweep_of(rule_runs, _t.at), sweep_of(rule_acts, _a.at))


def page(tx: Tx, rule_no: int, skip: int, limit: int) -> tuple[list[RuleRun], int]:
    """Some runs of a rule, newest first, and how many are kept."""
    return _OF_RULE.page(tx, skip, limit, rule_no=rule_no), _OF_RULE.count(tx, rule_no=rule_no)


def page_of_client(tx: Tx, client_no: int, skip: int, limit: int) -> tuple[list[RuleRun], int]:
    """Some runs of all rules of a client, also of deleted ones: newest first, and how many are
    kept.
    """
    runs = _OF_CLIENT.page(tx, skip, limit, client_no=client_no)
    return runs, _OF_CLIENT.count(tx, client_no=client_no)


def run_of(tx: Tx, rule_no: int, run_id: str) -> RuleRun | None:
    return _ONE.first(tx, id=run_id, rule_no=rule_no)


def state_of(tx: Tx, rule_no: int) -> RuleState:
    """The state of a rule; empty if it never ran."""
    return _STATE.first(tx, rule_no=rule_no) or RuleState(rule_no=rule_no)


def states_of(tx: Tx, rule_nos: Collection[int]) -> dict[int, RuleState]:
    """The states of these rules, by number; empty for those that never ran."""
    states = _SOME_STATES.anew(tx, nos=Listed(rule_nos)) if rule_nos else ()
    return {no: RuleState(rule_no=no) for no in rule_nos} | {one.rule_no: one for one in states}


def forget_state(tx: Tx, rule_no: int) -> None:
    """Forget the state of a rule that was changed: it begins anew."""
    tx.run(_FORGET, of=rule_no)


def forgive(tx: Tx, rule_no: int) -> None:
    """Count failures from none again: the rule was enabled."""
    tx.change(rule_states, {"rule_no": rule_no}, failures=0, why="")


def done(tx: Tx, client_no: int, mode: str, since: Instant) -> list[EarlierAct]:
    """What the client's rules have done, or would have done, the oldest first."""
    return [EarlierAct(*row) for row in tx.all(_ACTS, client_no=client_no, mode=mode, since=since)]


def keep(tx: Tx, was: RuleState, state: RuleState) -> None:
    """Store the new state. **Refuses** (Unavailable) if another worker ran the rule meanwhile."""
    if not was.number:
        first = _STATES.values(RuleState(rule_no=was.rule_no), *RuleState.__struct_fields__)
        tx.upsert_many(rule_states, ["rule_no"], [first], keep=True)
    moved = {"of": was.rule_no, "was": was.number, "is": was.number + 1}
    if tx.run(_MOVE_ON, **moved, **_STATES.values(state, *_KEPT)) != 1:
        raise Unavailable("the rule was run by another worker meanwhile")


def add(tx: Tx, run: RuleRun) -> None:
    _RUNS.add(tx, run)


def note(tx: Tx, run: RuleRun, acts: Sequence[Act]) -> None:
    """Count what was done."""
    rows: list[dict[str, Any]] = [
        {
            "client_no": run.client_no,
            "rule_no": run.rule_no,
            "mode": run.mode,
            "kind": one.kind,
            "entity": one.entity,
            "what": one.what,
            "pull": one.pull,
            "at": run.at,
        }
        for one in acts
    ]
    tx.put_many(rule_acts, rows)


def mark_undone(tx: Tx, run: RuleRun) -> None:
    tx.change(rule_runs, {"no": run.no}, **_RUNS.values(run, "body", "undone_at"))


def sweep(tx: Tx, now: Instant, most: int) -> int:
    """Delete some of what is older than 400 days; how many."""
    return sum(tx.run(one, before=now - KEPT_FOR, most=most) for one in _SWEEPS)
