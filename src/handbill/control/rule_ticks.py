"""What the runs of rules in one tick share, and which rules are due."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from handbill.core.nouns import Client
from handbill.core.rule_conditions import Rule
from handbill.core.rules.memory import EarlierAct, Memory, Of, Thing
from handbill.core.rules.running import RuleFinding
from handbill.core.rules.sights import Sight
from handbill.core.rules.windows import SETTLES, reads_once, waits_for_yesterday
from handbill.core.standing.tree import HeldByRule
from handbill.core.states import in_force
from handbill.host.clock import Clock
from handbill.host.ids import Ids
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, start_of, zone_of
from handbill.rules import history
from handbill.rules import service as rules
from handbill.rules.history import RuleState
from handbill.stats.answering import Answering
from handbill.store.records import Records, Tx

MODES: Final = ("OFF", "ADVISE", "ACT")


class RulingTools(NamedTuple):
    """``mode``: the most that the house allows."""

    records: Records
    answering: Answering
    clock: Clock
    ids: Ids
    mode: str


class RuleTick(NamedTuple):
    """What the runs of one tick share; ``done`` and ``now`` grow with them, and begin with what a
    tick that was cut has done. ``made_at``: since when a run has held its client, which dates its
    acts among those of others. ``held``: what rules hold since then.
    """

    tools: RulingTools
    client: Client
    mode: str
    sight: Sight
    done: dict[Thing, list[EarlierAct]]
    now: dict[Of, tuple[str, int]]
    made_at: Instant = 0
    held: Sequence[HeldByRule] = ()


def mode_of(client: Client, house: str) -> str:
    """What rules may do for a client: the lesser of its own switch and the house's."""
    return min(client.body.control, house, key=MODES.index)


def due_rules(tx: Tx, client: Client, mode: str, now: Instant) -> list[Rule]:
    """The rules in force with something new to read: each runs once at an instant, and one about
    past days only once a day, when the last of these days is settled. A clock that was set back is
    waited for.
    """
    zone = zone_of(client.zone)
    today = day_of(now, zone)
    settled = now - start_of(today, zone) >= SETTLES
    active = [
        rule
        for rule in rules.rules_of(tx, client)
        if rule.status == "A" and in_force(rule.body.start_on, rule.body.end_on, today)
    ]
    states = history.states_of(tx, [rule.no for rule in active])
    due = []
    for rule in active:
        state = states[rule.no]
        has_read = state.mode == mode and state.ran_on == today.isoformat()
        if now <= state.ran_at or (waits_for_yesterday(rule.body) and not settled):
            continue
        if not (has_read and reads_once(rule.body)):
            due.append(rule)
    return due


def state_after(
    at: RuleTick, rule: Rule, was: RuleState, truths: set[str], findings: Sequence[RuleFinding]
) -> RuleState:
    """The state after a run. If all its acts were refused, the run counts as failed."""
    acts = [act for one in findings for act in one.acts]
    refused = [act for act in acts if act.skip == "REFUSED"]
    failures = was.failures + 1 if refused and all(act.skip for act in acts) else 0
    return RuleState(
        rule_no=rule.no,
        ran_at=at.sight.now,
        ran_on=at.sight.today.isoformat(),
        mode=at.mode,
        truths=tuple(sorted(truths)),
        failures=failures,
        why=refused[0].words if failures else "",
    )


def memory_of(at: RuleTick, rule: Rule, was: RuleState) -> Memory:
    """What a run goes by of earlier runs, of its own rule and of others."""
    held = at.held
    return Memory(
        rule_no=rule.no,
        truths=frozenset(was.truths) if was.mode == at.mode else frozenset(),
        done=at.done,
        held=frozenset((one.kind, one.entity) for one in held if one.rule_no == rule.no),
        any_held=frozenset((one.kind, one.entity) for one in held),
        now=at.now,
    )
